/// A vertex of a surface: x to the right and y up in metres, z towards the camera.
struct Vertex {
    var place: SIMD3<Float>
    var normal = SIMD3<Float>(0, 0, 1)
    var colour: SIMD3<Float>
    var texture = SIMD2<Float>(0, 0)
}

/// Rings of points, one below the other; each body part is a tube.
struct Tube {
    var columns: Int
    var vertices: [Vertex] = []
    var isShirt = false
    /// A piece of the shirt's print on other clothes. It does not count as the number, and is not
    /// closed around.
    var isPatch = false
    /// A ball or a stick: held, but no part of the body.
    var isProp = false

    var rows: Int { vertices.count / columns }

    /// Computes normals from neighbouring points. The first and last column coincide.
    mutating func finish() {
        guard !isPatch else { return }
        let rows = rows
        for row in 0..<rows {
            for column in 0..<columns {
                let before = column == 0 ? columns - 2 : column - 1
                let after = column == columns - 1 ? 1 : column + 1
                let around = vertices[row * columns + after].place - vertices[row * columns + before].place
                let down =
                    vertices[min(row + 1, rows - 1) * columns + column].place
                    - vertices[max(row - 1, 0) * columns + column].place
                let normal = cross(down, around)
                vertices[row * columns + column].normal =
                    normal / max((normal * normal).sum().squareRoot(), 1e-9)
            }
        }
    }
}

func cross<Scalar: SIMDScalar & FloatingPoint>(_ a: SIMD3<Scalar>, _ b: SIMD3<Scalar>) -> SIMD3<Scalar> {
    SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}
