import Jersey

// Reads the number in each folder of frames, or tree of such folders, with the bundled model.
let recognizer = try Recognizer()
for folder in CommandLine.arguments.dropFirst() {
    do {
        for prediction in try recognizer.predict(folder) {
            print(prediction.sequence, prediction.answer)
        }
    } catch let error as FileError {
        print("\(error.path) is left out: \(error.reason)")
    }
}
