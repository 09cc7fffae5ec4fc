/// Which tracks, or pieces of tracks, may be one player whom the tracker lost and found again.
///
/// Those with the same number are, if no two of them are seen at the same time. If two are, two
/// players wear the number, and nothing says whose the others are: all are left apart. So are those
/// whose number two players of a roster wear. Where the tracker's file gives classes, such as
/// teams, only tracks of one class are compared.
enum PlayerGrouping {
    /// Gives every answered prediction with a `span` its `playerID`: the name of the first track of
    /// its player.
    ///
    /// - Parameter predictions: of the tracks of one video.
    static func grouped(_ predictions: [Prediction]) -> [Prediction] {
        struct Key: Hashable {
            let number: JerseyNumber
            let kind: String?
        }
        var predictions = predictions
        var groups: [Key: [Int]] = [:]
        for index in predictions.indices {
            guard let number = predictions[index].number, predictions[index].span != nil else { continue }
            predictions[index].playerID = predictions[index].track
            guard (predictions[index].players?.count ?? 1) <= 1 else { continue }
            groups[Key(number: number, kind: predictions[index].kind), default: []].append(index)
        }
        for group in groups.values {
            let inTime = group.compactMap { predictions[$0].span }.sorted { $0.lowerBound < $1.lowerBound }
            guard zip(inTime, inTime.dropFirst()).allSatisfy({ $0.upperBound < $1.lowerBound }) else {
                continue
            }
            for index in group { predictions[index].playerID = predictions[group[0]].track }
        }
        return predictions
    }
}
