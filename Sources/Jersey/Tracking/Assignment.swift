/// Pairs rows with columns so that the sum of the costs is least, where some pairs are impossible.
///
/// The Hungarian method with potentials, O(n²m) (Kuhn 1955; Jonker and Volgenant 1987).
enum Assignment {
    /// - Parameters:
    ///   - rows: how many there are.
    ///   - columns: how many there are.
    ///   - limit: pairs that cost as much or more stay apart.
    ///   - cost: of a pair; infinite for an impossible one.
    /// - Returns: for each row its column, or nil. More pairs are better than cheap pairs as long as
    ///   each costs less than `limit`.
    static func cheapest(rows: Int, columns: Int, limit: Double, cost: (Int, Int) -> Double) -> [Int?] {
        guard rows > 0, columns > 0 else { return [Int?](repeating: nil, count: rows) }
        // As many further columns, at the cost of the limit, are for rows that stay alone.
        let width = columns + rows
        var costs = [Double](repeating: limit, count: rows * width)
        for row in 0..<rows {
            for column in 0..<columns {
                // A large number instead of infinity, which would make the potentials NaN.
                costs[row * width + column] = min(cost(row, column), 1e6 + limit)
            }
        }
        // Index 0 of columns and rows is nobody.
        var rowPotential = [Double](repeating: 0, count: rows + 1)
        var columnPotential = [Double](repeating: 0, count: width + 1)
        var rowOfColumn = [Int](repeating: 0, count: width + 1)
        var way = [Int](repeating: 0, count: width + 1)
        for row in 1...rows {
            rowOfColumn[0] = row
            var current = 0
            var least = [Double](repeating: .infinity, count: width + 1)
            var isUsed = [Bool](repeating: false, count: width + 1)
            repeat {
                isUsed[current] = true
                let here = rowOfColumn[current]
                var (delta, next) = (Double.infinity, 0)
                for column in 1...width where !isUsed[column] {
                    let reduced =
                        costs[(here - 1) * width + column - 1] - rowPotential[here] - columnPotential[column]
                    if reduced < least[column] { (least[column], way[column]) = (reduced, current) }
                    if least[column] < delta { (delta, next) = (least[column], column) }
                }
                for column in 0...width {
                    if isUsed[column] {
                        rowPotential[rowOfColumn[column]] += delta
                        columnPotential[column] -= delta
                    } else {
                        least[column] -= delta
                    }
                }
                current = next
            } while rowOfColumn[current] != 0
            repeat {
                let previous = way[current]
                rowOfColumn[current] = rowOfColumn[previous]
                current = previous
            } while current != 0
        }
        var result = [Int?](repeating: nil, count: rows)
        for column in 1...columns where rowOfColumn[column] > 0 {
            let row = rowOfColumn[column] - 1
            if costs[row * width + column - 1] < limit { result[row] = column - 1 }
        }
        return result
    }
}
