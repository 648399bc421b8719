// tools/io/model_file.cpp
#include "model_file.hpp"

#include <algorithm>
#include <cmath>
#include <new>

#include "checkpoint.hpp"
#include "input_file.hpp"
#include "model_check.hpp"
#include "output_file.hpp"
#include "readout_file.hpp"
#include "refused.hpp"
#include "safetensors.hpp"
#include "torch_file.hpp"

namespace tool {

namespace {

std::string extents_text(const ndt::Extents& extents) { return shape_text(shape_of(extents)); }

[[noreturn]] void refuse(const ndt::Status& status, const ModelFile& model, const std::string& where) {
  const std::string name(status.where.view()), place = where + " tensor " + name;
  if (status.error == ndt::Error::tensor_not_finite) {
    const std::size_t index = status.found.size[0];
    const bool is_nan = std::isnan(model.tensors.find(name)->second.values[index]);
    throw Refused(std::string("a weight is ") + (is_nan ? "NaN" : "infinite"),
                  place + " element " + std::to_string(index), "finite numbers are expected");
  }
  if (status.error == ndt::Error::position_index_out_of_range) {
    throw Refused("a stored position is " + std::to_string(static_cast<std::int64_t>(status.found.size[0])), place,
                  "0 to " + std::to_string(status.expected.size[0] - 1) + " is expected");
  }
  throw Refused(std::string(status.message()) + ", " + extents_text(status.found), place,
                extents_text(status.expected) + " is expected");
}

std::vector<float> pack_named(const ModelFile& model, const std::string& where) {
  if (const ndt::Status status = model.config.validate(); !status.ok()) {
    throw Refused(std::string(status.message()), where + " " + std::string(status.where.view()),
                  "a model that can exist is expected");
  }
  check_model(model, where);  // before memory is taken that only the configuration speaks of
  const ndt::DynamicShape shape{model.config};
  std::vector<float> memory(ndt::DynamicTransformer<>(shape).packed_size());
  const ndt::Status status = ndt::pack_weights<ndt::simd::native<float>>(
      std::span<float>(memory), shape, [&](std::string_view name) { return stored_tensor(model.tensors, name); });
  if (!status.ok()) refuse(status, model, where);
  return memory;
}

}  // namespace

ndt::StoredTensor<float> stored_tensor(const Tensors& tensors, std::string_view name) {
  ndt::StoredTensor<float> result;
  const auto found = tensors.find(name);
  if (found == tensors.end() || found->second.shape.size() > result.extents.size.size()) return result;
  const Tensor& tensor = found->second;
  result.extents.rank = tensor.shape.size();
  std::copy(tensor.shape.begin(), tensor.shape.end(), result.extents.size.begin());
  if (tensor.integers.empty()) {
    result.values = tensor.values.data();
  } else {
    result.integers = tensor.integers.data();
  }
  return result;
}

ModelFile parse_model(std::string_view bytes, const std::string& where) try {
  ModelFile model;
  if (TorchFile::recognises(bytes)) {
    TorchFile file(bytes, where);
    model = read_checkpoint(file);
  } else if (is_safetensors(bytes)) {
    model = read_safetensors(bytes, where);
  } else {
    throw Refused(bytes.empty() ? "the file is empty" : "this is no model file", where,
                  "a PyTorch checkpoint or a safetensors model file is expected");
  }
  const std::vector<float> packed = pack_named(model, where);
  if (model.readout) static_cast<void>(packed_readout(model, packed, where));
  return model;
} catch (const std::bad_alloc&) {
  throw Refused("the model needs more memory than there is", where, "a smaller model is expected");
}

ModelFile read_model(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = InputFile(path).read_all();
  return parse_model({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

std::vector<float> pack(const ModelFile& model, const std::filesystem::path& path) {
  return pack_named(model, path.string());
}

void write_safetensors(const ModelFile& model, const std::filesystem::path& path) {
  const std::string bytes = safetensors_bytes(model);
  OutputFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace tool
