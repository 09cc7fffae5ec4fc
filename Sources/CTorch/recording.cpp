// Records what libtorch does while a network runs, through libtorch's own observers. Only the
// outermost operations are recorded, which the shim calls, and not those within them.
#ifndef NDEBUG
// libtorch's own build defines this, and objects must have the same layout here.
#define NDEBUG
#endif
#include <ATen/core/function_schema.h>
#include <ATen/record_function.h>

#include <cmath>
#include <unordered_map>

#include "support.h"

namespace {
struct Recording {
    at::CallbackHandle callback = 0;
    int depth = 0;
    /// Tensors that do not depend on the inputs, and the index of each.
    std::vector<at::Tensor> constants;
    std::unordered_map<const c10::TensorImpl *, size_t> constant_indices;
    /// Tensors that do. All are kept, or another tensor might get the address of a freed one.
    std::vector<at::Tensor> values;
    std::unordered_map<const c10::TensorImpl *, size_t> value_indices;
    /// JSON objects.
    std::vector<std::string> steps;
    std::string problem;

    size_t add_value(const at::Tensor &tensor) {
        values.push_back(tensor);
        value_indices[tensor.unsafeGetTensorImpl()] = values.size() - 1;
        return values.size() - 1;
    }

    size_t add_constant(const at::Tensor &tensor) {
        auto [place, is_new] = constant_indices.try_emplace(tensor.unsafeGetTensorImpl(), constants.size());
        if (is_new) constants.push_back(tensor);
        return place->second;
    }

    bool depends(const at::IValue &argument) const {
        if (argument.isTensor()) return value_indices.count(argument.toTensor().unsafeGetTensorImpl()) > 0;
        if (!argument.isTensorList()) return false;
        for (const at::Tensor &tensor : argument.toTensorList()) {
            if (value_indices.count(tensor.unsafeGetTensorImpl())) return true;
        }
        return false;
    }

    /// In the form that Swift's synthesised `Decodable` expects for an enum with payloads.
    std::string written(const at::IValue &argument) {
        auto object = [](const char *kind, const std::string &value) {
            return std::string("{\"") + kind + "\":{\"_0\":" + value + "}}";
        };
        auto list = [&](const auto &items) {
            std::string text;
            for (const auto &item : items) text += (text.empty() ? "" : ",") + written(at::IValue(item));
            return object("list", "[" + text + "]");
        };
        if (argument.isTensor() && argument.toTensor().defined()) {
            auto tensor = argument.toTensor();
            auto place = value_indices.find(tensor.unsafeGetTensorImpl());
            if (place != value_indices.end()) return object("value", std::to_string(place->second));
            return object("constant", std::to_string(add_constant(tensor)));
        }
        if (argument.isTensorList()) return list(argument.toTensorVector());
        if (argument.isIntList()) return list(argument.toIntVector());
        if (argument.isBool()) return object("boolean", argument.toBool() ? "true" : "false");
        if (argument.isInt()) return object("integer", std::to_string(argument.toInt()));
        if (argument.isDouble()) {
            char digits[32];
            // JSON cannot express infinity and NaN.
            if (!std::isfinite(argument.toDouble())) problem = "a number that is not finite cannot be recorded";
            snprintf(digits, sizeof digits, "%.17g", argument.toDouble());
            return object("number", digits);
        }
        // None, and arguments that only say where and how a tensor is stored.
        return "{\"none\":{}}";
    }
};

/// The recording of this thread.
thread_local Recording *current = nullptr;

struct Step : at::ObserverContext {
    bool is_known = false;
    const c10::TensorImpl *first = nullptr;
    std::string arguments;
};

std::unique_ptr<at::ObserverContext> begin_step(const at::RecordFunction &function) {
    auto step = std::make_unique<Step>();
    // Threads that work for this one have no recording. Inner operations are not recorded.
    if (!current || current->depth++ > 0) return step;
    auto inputs = function.inputs();
    for (const auto &input : inputs) step->is_known |= current->depends(input);
    if (!step->is_known) return step;
    if (inputs[0].isTensor()) step->first = inputs[0].toTensor().unsafeGetTensorImpl();
    auto schema = function.operator_schema();
    for (size_t i = 0; i < inputs.size(); i++) {
        std::string written = current->written(inputs[i]);
        if (schema && schema->arguments()[i].kwarg_only()) {
            const auto &keyword = schema->arguments()[i];
            const auto &usual = keyword.default_value();
            // Leave out devices and the like.
            if (!inputs[i].isScalar()) continue;
            if (usual && usual->isScalar() && usual->toScalar().toDouble() == inputs[i].toScalar().toDouble()) continue;
            written = "{\"keyword\":{\"name\":\"" + keyword.name() + "\",\"value\":" + written + "}}";
        }
        step->arguments += (step->arguments.empty() ? "" : ",") + written;
    }
    return step;
}

void end_step(const at::RecordFunction &function, at::ObserverContext *context) {
    auto *step = static_cast<Step *>(context);
    if (!current) return;
    current->depth--;
    std::string name = function.name(), results;
    if (!step) current->problem = name + " cannot be recorded";
    if (!step || !step->is_known) return;
    for (const auto &output : function.outputs()) {
        if (!output.isTensor()) {
            current->problem = name + " returns something other than tensors";
            return;
        }
        // Skip an input that the operation returns unchanged, unless it works in place.
        if (output.toTensor().unsafeGetTensorImpl() == step->first && name.back() != '_') return;
        results += (results.empty() ? "" : ",") + std::to_string(current->add_value(output.toTensor()));
    }
    current->steps.push_back(
        "{\"operation\":\"" + name + "\",\"arguments\":[" + step->arguments + "],\"results\":[" + results + "]}");
}

Recording &recording_(ct_recording recording) { return *reinterpret_cast<Recording *>(recording); }
}  // namespace

ct_recording ct_recording_begin(ct_list inputs, ct_list constants, ct_error *error) {
    return guarded(error, [&] {
        TORCH_CHECK(!current, "a recording is already in progress");
        auto recording = std::make_unique<Recording>();
        for (const auto &tensor : list_(inputs)) recording->add_value(tensor);
        for (const auto &tensor : list_(constants)) recording->add_constant(tensor);
        current = recording.get();
        recording->callback = at::addThreadLocalCallback(at::RecordFunctionCallback(begin_step, end_step)
                                                             .needsInputs(true)
                                                             .needsOutputs(true)
                                                             .scopes({at::RecordScope::FUNCTION}));
        return reinterpret_cast<ct_recording>(recording.release());
    });
}

char *ct_recording_end(ct_recording recording, ct_error *error) {
    return guarded(error, [&] {
        at::removeCallback(recording_(recording).callback);
        current = nullptr;
        TORCH_CHECK(recording_(recording).problem.empty(), recording_(recording).problem);
        std::string steps;
        for (const auto &step : recording_(recording).steps) steps += (steps.empty() ? "" : ",") + step;
        return strdup(("[" + steps + "]").c_str());
    });
}

void ct_recording_free(ct_recording recording) { delete &recording_(recording); }

int64_t ct_recording_value(ct_recording recording, ct_tensor tensor) {
    const auto &indices = recording_(recording).value_indices;
    auto place = indices.find(at_(tensor).unsafeGetTensorImpl());
    return place == indices.end() ? -1 : static_cast<int64_t>(place->second);
}

size_t ct_recording_constant_count(ct_recording recording) { return recording_(recording).constants.size(); }

ct_tensor ct_recording_constant(ct_recording recording, size_t index, ct_error *error) {
    return guarded(error, [&] { return own(recording_(recording).constants.at(index).detach()); });
}
