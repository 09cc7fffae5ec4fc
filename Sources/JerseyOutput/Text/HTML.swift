import Foundation
import JerseySupport

/// Escapes text for HTML.
enum HTML {
    static func escaped(_ text: String) -> String {
        Shown.lines(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(
            ">", with: "&gt;"
        )
        .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}
