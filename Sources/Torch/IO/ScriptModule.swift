import CTorch
import Foundation
import JerseySupport

/// A TorchScript module that libtorch compiled from source or read from a file.
package final class ScriptModule {
    private let handle: ct_module

    /// - Parameters:
    ///   - name: the name of its type.
    ///   - source: methods in TorchScript, without a class around them.
    ///   - buffers: tensors that the source finds under `self`.
    /// - Throws: `TorchError` with the compiler's message.
    package init(name: String, source: String, buffers: [(name: String, tensor: Tensor)]) throws {
        let module = try buffers.map(\.name).withCStrings { names in
            try buffers.map(\.tensor).withList { tensors in
                try attempt { ct_module_compile(name, source, names, tensors, $0) }
            }
        }
        guard let module else { throw TorchError(description: "no module was compiled") }
        handle = module
    }

    /// - Throws: `FileError` if the file is missing or not TorchScript.
    package init(contentsOf url: URL) throws {
        let data = try Data(reading: url)
        do {
            let module = try data.withUnsafeBytes { bytes in
                try attempt {
                    ct_module_load(bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!, bytes.count, $0)
                }
            }
            guard let module else { throw TorchError(description: "no module was loaded") }
            handle = module
        } catch let error as TorchError {
            throw FileError(url.path, "is not a TorchScript file (\(error))", advice: "export it again")
        }
    }

    deinit {
        ct_module_free(handle)
    }

    /// The module as the content of a file.
    ///
    /// - Parameter extra: an additional text in the file, and its name.
    package func data(extra: (name: String, text: String)) -> Data {
        tensor { ct_module_bytes(handle, extra.name, extra.text, $0) }.data
    }

    /// Runs `forward`, which returns a dictionary of tensors. Returns the entry `output`.
    ///
    /// - Throws: `TorchError` if the module does not accept these inputs, or has no such output.
    package func callAsFunction(_ inputs: [Tensor], output: String) throws -> Tensor {
        let result = try inputs.withList { inputs in try attempt { ct_module_run(handle, inputs, output, $0) }
        }
        guard let result else { throw TorchError(description: "the module returned nothing") }
        return Tensor(owning: result)
    }
}
