import Synchronization

/// A value that is made on first use, by the thread that asks first. Other threads wait for it.
final class Once<Value: Sendable>: Sendable {
    private let made = Mutex<Value?>(nil)
    private let make: @Sendable () -> Value

    init(_ make: @escaping @Sendable () -> Value) {
        self.make = make
    }

    func callAsFunction() -> Value {
        made.withLock { made in
            if let value = made { return value }
            let value = withoutGradients(make)
            made = value
            return value
        }
    }
}
