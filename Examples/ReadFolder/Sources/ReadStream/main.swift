import Foundation
import Jersey

// Reads one player whose frames come one at a time, and prints what it knows after each.
let stream = try Recognizer().stream()
for path in CommandLine.arguments.dropFirst() {
    try stream.add(RGBImage(contentsOf: URL(fileURLWithPath: path)))
    if let digits = stream.digits { print(stream.count, digits.number, digits.confidence) }
}
