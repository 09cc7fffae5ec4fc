// TorchScript and pickled files, by libtorch's compiler and pickler. They are in a file of their
// own because their headers take long to compile.
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/export.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/csrc/jit/serialization/pickler.h>

#include <sstream>

#include "support.h"

namespace {
torch::jit::Module &module_(ct_module module) { return *reinterpret_cast<torch::jit::Module *>(module); }

ct_module own_module(torch::jit::Module module) { return reinterpret_cast<ct_module>(new torch::jit::Module(std::move(module))); }

ct_tensor bytes_(const char *bytes, size_t count) {
    return own(at::from_blob(const_cast<char *>(bytes), {static_cast<int64_t>(count)}, at::kByte).clone());
}
}  // namespace

ct_module ct_module_compile(
    const char *name, const char *source, const char *const *names, ct_list buffers, ct_error *error) {
    return guarded(error, [&] {
        torch::jit::Module module(name);
        auto tensors = list_(buffers);
        for (size_t i = 0; i < tensors.size(); i++) module.register_buffer(names[i], tensors[i].detach());
        module.define(source);
        module.eval();
        return own_module(module);
    });
}

ct_module ct_module_load(const void *bytes, size_t count, ct_error *error) {
    return guarded(error, [&] {
        std::istringstream stream(std::string(static_cast<const char *>(bytes), count));
        return own_module(torch::jit::load(stream));
    });
}

void ct_module_free(ct_module module) { delete &module_(module); }

ct_tensor ct_module_bytes(ct_module module, const char *key, const char *text, ct_error *error) {
    return guarded(error, [&] {
        std::ostringstream stream;
        module_(module).save(stream, {{key, text}});
        auto bytes = stream.str();
        return bytes_(bytes.data(), bytes.size());
    });
}

ct_tensor ct_module_run(ct_module module, ct_list inputs, const char *output, ct_error *error) {
    return guarded(error, [&] {
        std::vector<c10::IValue> arguments;
        for (auto &tensor : list_(inputs)) arguments.emplace_back(std::move(tensor));
        return own(module_(module).forward(std::move(arguments)).toGenericDict().at(output).toTensor());
    });
}

ct_tensor ct_pickled_state(
    const char *state, const char *const *names, ct_list tensors, const char *key, const char *text, ct_error *error) {
    return guarded(error, [&] {
        c10::Dict<std::string, at::Tensor> entries;
        auto list = list_(tensors);
        for (size_t i = 0; i < list.size(); i++) entries.insert(names[i], list[i].detach().contiguous());
        c10::impl::GenericDict file(c10::StringType::get(), c10::AnyType::get());
        file.insert(state, entries);
        file.insert(key, text);
        // Not `pickle_save`: it tags types with a function that torch.load runs only if told to
        // trust the file.
        std::string pickle, archive;
        torch::jit::Pickler pickler(
            [&](const char *bytes, size_t count) { pickle.append(bytes, count); }, nullptr, nullptr, nullptr, nullptr,
            /*tag_aggregates=*/false);
        pickler.protocol();
        pickler.pushIValue(file);
        pickler.stop();
        caffe2::serialize::PyTorchStreamWriter writer([&](const void *bytes, size_t count) {
            archive.append(static_cast<const char *>(bytes), count);
            return count;
        });
        torch::jit::writeArchiveAndTensors("data", pickle.data(), pickle.size(), pickler.tensorData(), writer);
        writer.writeEndOfFile();
        return bytes_(archive.data(), archive.size());
    });
}
