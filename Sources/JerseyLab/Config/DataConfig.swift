import Jersey

/// The data set, its split, and the model's input.
@dynamicMemberLookup
package struct DataConfig: Sendable, Equatable {
    package var path = ""
    package var format = "folders"
    package var classes: [String]?
    /// Its properties are also available here, such as `data.height`.
    package var input = InputSpec()
    package var trainingFrames: Int?
    package var unreadable = false
    package var ratios = [0.8, 0.1, 0.1]
    package var heldOutShare = 0.0
    package var splitSeed: UInt64 = 42
    package var splits: String?
    package var groupPattern: String?
    package var strict = false
    package var workers = 2
    package var cacheMegabytes = 0

    package init() {}

    package subscript<Value>(dynamicMember path: WritableKeyPath<InputSpec, Value>) -> Value {
        get { input[keyPath: path] }
        set { input[keyPath: path] = newValue }
    }

    /// `classes` as numbers; nil for all.
    ///
    /// - Throws: `UsageError` if one is not a shirt number.
    func wantedNumbers() throws -> Set<JerseyNumber>? {
        try classes.map { words in
            try Set(
                words.map { word in
                    guard let number = JerseyNumber(word) else {
                        throw UsageError("'\(word)' in the class list is not a shirt number (0...9, 00...99)")
                    }
                    return number
                })
        }
    }
}
