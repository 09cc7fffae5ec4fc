import ArgumentParser
import Jersey

/// What the teams of a video are called.
struct TeamOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Names of the teams by the colours of their shirts, such as red=Ajax,white=PSV or #c81e28=Ajax. By default they are A, the \
            one that is seen more, and B.
            """, valueName: "colour=name,…"))
    var teamColours: String?

    func validate() throws { _ = try names() }

    func names() throws -> [(colour: ShirtColour, name: String)] {
        let pairs = (teamColours ?? "").split(separator: ",", omittingEmptySubsequences: true)
        guard pairs.count <= 2 else {
            throw ValidationError("--team-colours names two teams, not \(pairs.count)")
        }
        return try pairs.map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ValidationError(
                    "--team-colours must be colour=name,colour=name, such as red=Ajax,white=PSV")
            }
            return (try ShirtColour(named: parts[0]), parts[1])
        }
    }
}
