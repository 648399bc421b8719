// tools/io/safetensors.cpp
#include "safetensors.hpp"

#include <charconv>

#include "bytes.hpp"
#include "model_config.hpp"
#include "numbers.hpp"
#include "readout_file.hpp"
#include "refused.hpp"
#include "tensor_file.hpp"
#include "train_config.hpp"

namespace tool {

namespace {

constexpr TensorFileKind model_kind{"ndt", "a model file that `ndt convert` wrote"};

double number(const std::string& text, const std::string& key, const std::string& where, bool (*is_right)(double),
              const char* right) {
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !is_right(value)) {
    throw Refused(key + " is " + printable(text), where, right);
  }
  return value;
}

}  // namespace

bool is_safetensors(std::string_view bytes) { return is_tensor_file(bytes); }

ModelFile read_safetensors(std::string_view bytes, const std::string& where) {
  TensorFile file = parse_tensor_file(bytes, where, model_kind);
  const auto text_of = [&](const char* key) -> const std::string* {
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? nullptr : &found->second;
  };
  ModelFile model;
  model.config = parse_config_text(*text_of("config"), where + " config");
  if (const std::string* const name = text_of("name")) model.name = *name;
  if (const std::string* const text = text_of("bin_width")) {
    model.bin_width = number(*text, "bin_width", where, is_bin_width, "1e-6 to 3600 seconds are expected");
  }
  if (const std::string* const text = text_of("loss_topk")) {
    const auto is_share = [](double share) { return share >= 0 && share < 1; };
    model.loss_topk = number(*text, "loss_topk", where, is_share, "a share from 0 to less than 1 is expected");
  }
  if (const std::string* const text = text_of("training")) {
    model.training = parse_train_config_text(*text, where + " training");
  }
  if (const std::string* const text = text_of("readout")) {
    model.readout = StoredReadout{parse_readout_text(*text, where + " readout"), {}};
    // Those of the read-out stand together in the order of names.
    for (auto it = file.tensors.lower_bound("readout.");
         it != file.tensors.end() && it->first.starts_with("readout.");) {
      model.readout->tensors.insert(file.tensors.extract(it++));
    }
  }
  model.tensors = std::move(file.tensors);
  return model;
}

std::string safetensors_bytes(const ModelFile& model) {
  Metadata metadata{{"config", config_text(model.config)}};
  if (!model.name.empty()) metadata["name"] = model.name;
  if (model.bin_width) metadata["bin_width"] = text(*model.bin_width);
  if (model.loss_topk < 1) metadata["loss_topk"] = text(model.loss_topk);
  if (model.training) metadata["training"] = train_config_text(*model.training);
  Tensors tensors = model.tensors;
  if (model.readout) {
    metadata["readout"] = readout_text(model.readout->config);
    tensors.insert(model.readout->tensors.begin(), model.readout->tensors.end());
  }
  return tensor_file_bytes(model_kind, std::move(metadata), tensors);
}

}  // namespace tool
