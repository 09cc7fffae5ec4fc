import Foundation
import Jersey
import JerseyOutput

/// The players of a video as a page: the table, when each is seen, and the views that show his
/// number best.
struct PlayerPage {
    private let table: PlayerTable
    private let video: String
    /// The views of each track.
    private let rows: [String: ContactSheet.Row]

    /// More players would make a page too large to open.
    private static let mostPlayers = 60
    /// Views of one player.
    private static let mostViews = 8

    /// - Parameters:
    ///   - video: its path, to which moments lead.
    ///   - rows: the views of each track, with their weights.
    init(_ table: PlayerTable, video: String, rows: [String: ContactSheet.Row]) {
        self.table = table
        self.video = video
        self.rows = rows
    }

    func report() throws -> Report {
        let shown = Array(table.players.prefix(Self.mostPlayers))
        let unnumbered = table.unnumbered
        return Report(
            title: "Players seen",
            subtitle:
                "\(table.players.count) players with a number; \(unnumbered.count) tracks without one",
            sections: [
                .init(
                    "Players",
                    [table.players.isEmpty ? .text("No number was read.") : .table(Table(table.players))]
                        + (unnumbered.isEmpty
                            ? [] : [.text("Tracks without a number:"), .table(Table(unnumbered))]))
            ]
                + (shown.isEmpty
                    ? []
                    : [.init("When they are seen", [.picture(name: "times", try times(shown), caption: "")])])
                + (try shown.map(section)))
    }

    private func section(_ player: Player) throws -> Report.Section {
        let views = player.tracks.compactMap { rows[$0] }.flatMap(\.frames).sorted {
            ($0.weight ?? 0) > ($1.weight ?? 0)
        }
        let links = player.pieces.map { piece in
            (
                text: "\(Table.moment(piece.firstSecond))-\(Table.moment(piece.lastSecond))",
                address: address(of: piece)
            )
        }
        var blocks: [Report.Block] = [.links(links)]
        if !views.isEmpty {
            let sheet = ContactSheet(rows: [
                ContactSheet.Row(
                    title: player.number?.description ?? "?", subtitle: title(player),
                    frames: Array(views.prefix(Self.mostViews)))
            ])
            blocks.append(
                .picture(
                    name: player.tracks[0], try sheet.image().jpegData(quality: 85), caption: title(player)))
        }
        return Report.Section(title(player), blocks)
    }

    private func title(_ player: Player) -> String {
        [
            player.team, player.number?.description, player.names.first,
            Format.percent(player.confidence, places: 1),
        ].compactMap(\.self).joined(separator: " ")
    }

    /// A media fragment (W3C), with which browsers begin to play at a moment.
    private func address(of piece: Player.Piece) -> String {
        let file = URL(fileURLWithPath: video).absoluteString
        return
            "\(file)#t=\(Format.decimal(piece.firstSecond, places: 1)),\(Format.decimal(piece.lastSecond, places: 1))"
    }

    /// A row for each player with bars where he is seen.
    private func times(_ players: [Player]) throws -> Data {
        let (rowHeight, margin, width) = (22.0, 120.0, 1100.0)
        let end = max((table.players + table.unnumbered).map(\.lastSecond).max() ?? 0, 1e-3)
        let canvas = Canvas(width: Int(width), height: Int(rowHeight * Double(players.count) + 30))
        canvas.fill(.white)
        let typeface = Canvas.Typeface(family: "DejaVu Sans")
        func x(_ second: Double) -> Double { margin + (width - margin - 20) * second / end }
        for (index, player) in players.enumerated() {
            let top = rowHeight * Double(index) + 4
            let name = [player.team, player.number?.description].compactMap(\.self).joined(separator: " ")
            canvas.text(name, at: [8, top + 14], size: 13, typeface, .black)
            canvas.rectangle([margin, top + 8], [width - margin - 20, 2], Canvas.Colour(0xE0E2E4))
            for piece in player.pieces {
                let (left, right) = (x(piece.firstSecond), x(piece.lastSecond))
                canvas.rectangle(
                    [left - 0.5, top + 1.5], [max(right - left, 2) + 1, 15], Player.unknownShirt)
                canvas.rectangle([left, top + 2], [max(right - left, 2), 14], player.shirt)
            }
        }
        let bottom = rowHeight * Double(players.count) + 20
        for step in 0...4 {
            let second = end * Double(step) / 4
            canvas.text(Table.moment(second), at: [x(second) - 16, bottom], size: 11, typeface, .black)
        }
        return try canvas.image.jpegData(quality: 92)
    }
}
