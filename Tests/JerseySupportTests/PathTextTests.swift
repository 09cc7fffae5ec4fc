import Testing

@testable import JerseySupport

@Suite struct PathTextTests {
    @Test(arguments: [
        ("7", "", "7"), (".", "", "."), ("./", "", "."), ("7/", "", "7"), ("ä", "", "ä"),
        ("a.jpg", "", "a.jpg"), ("/", "/", ""),
        ("/a", "/", "a"), ("/a/", "/", "a"), ("a/b", "a", "b"), ("a//b//", "a", "b"), ("../7", "..", "7"),
        ("/a/b/c d", "/a/b", "c d"),
        ("", "", ""),
    ])
    func `A path is cut at its slashes, however short it is`(path: String, parent: String, name: String) {
        #expect(path.parentPath == parent && path.lastName == name)
    }

    @Test func `A name is added with one slash`() {
        #expect(
            "7".appendingName("1.jpg") == "7/1.jpg" && "/".appendingName("a") == "/a"
                && ".".appendingName("a") == "./a")
    }
}
