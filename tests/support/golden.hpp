// Reads the golden files that tools/golden/make_golden.py writes: a model, its input and its outputs in float64.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <ndt/ndt.hpp>

namespace support {

struct GoldenTensor {
  ndt::Extents extents{};
  std::vector<double> values;          // f32 and f64
  std::vector<std::int64_t> integers;  // i64
};

class Golden {
 public:
  explicit Golden(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot open " + path.string());
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::size_t mark = bytes.find("\ndata\n");
    if (mark == std::string::npos) throw std::runtime_error("not a golden file: " + path.string());
    const std::size_t data = mark + 6;
    std::istringstream header(bytes.substr(0, data));
    std::string line;
    while (std::getline(header, line)) {
      std::istringstream words(line);
      std::string word, name;
      words >> word >> name;
      if (word == "config") words >> config_[name];
      if (word == "tensor") read_tensor(words, tensors_[name], bytes.substr(data));
    }
  }

  const GoldenTensor& operator[](const std::string& name) const { return tensors_.at(name); }

  GoldenTensor& tensor(const std::string& name) { return tensors_.at(name); }

  ndt::ModelConfig config() const {
    const auto flag = [this](const char* key) { return config_.at(key) != 0; };
    const auto size = [this](const char* key) { return static_cast<std::size_t>(config_.at(key)); };
    ndt::ModelConfig c;
    c.neurons = size("neurons"), c.trial_length = size("trial_length"), c.layers = size("layers");
    c.heads = size("heads"), c.hidden_size = size("hidden"), c.embed_dim = size("embed_dim");
    c.max_spikes = size("max_spikes"), c.decoder_layers = size("decoder_layers");
    c.context_forward = config_.at("context_forward"), c.context_backward = config_.at("context_backward");
    c.full_context = flag("full_context"), c.context_wrap_initial = flag("context_wrap_initial");
    c.linear_embedder = flag("linear_embedder"), c.learnable_position = flag("learned_position");
    c.position_offset = flag("position_offset"), c.pre_norm = flag("pre_norm"), c.scale_norm = flag("scale_norm");
    c.lograte = flag("lograte"), c.activation = flag("gelu") ? ndt::Activation::gelu : ndt::Activation::relu;
    return c;
  }

  /// The weights packed for policy V.
  template <class V>
  std::vector<typename V::value_type> packed() const {
    using T = typename V::value_type;
    const ndt::DynamicShape shape{config()};
    std::vector<T> memory(ndt::Transformer<ndt::DynamicShape, V>(shape).packed_size());
    std::map<std::string, std::vector<T>, std::less<>> converted;
    const ndt::Status status = ndt::pack_weights<V>(std::span<T>(memory), shape, [&](std::string_view name) {
      const auto found = tensors_.find(std::string(name));
      if (found == tensors_.end()) return ndt::StoredTensor<T>{};
      const GoldenTensor& tensor = found->second;
      if (!tensor.integers.empty()) return ndt::StoredTensor<T>{nullptr, tensor.integers.data(), tensor.extents};
      auto& values = converted[found->first];
      values.assign(tensor.values.begin(), tensor.values.end());
      return ndt::StoredTensor<T>{values.data(), nullptr, tensor.extents};
    });
    if (!status.ok()) throw std::runtime_error(std::string(status.message()) + ": " + std::string(status.where.view()));
    return memory;
  }

 private:
  static void read_tensor(std::istream& words, GoldenTensor& tensor, std::string_view data) {
    std::string type;
    std::size_t offset = 0;
    words >> type >> tensor.extents.rank;
    for (std::size_t i = 0; i < tensor.extents.rank; ++i) words >> tensor.extents.size[i];
    words >> offset;
    const std::size_t count = tensor.extents.count();
    const auto element = [&]<class T>(T, std::size_t i) {
      T value;
      if (offset + (i + 1) * sizeof(T) > data.size()) throw std::runtime_error("a golden file is cut short");
      std::memcpy(&value, data.data() + offset + i * sizeof(T), sizeof(T));
      return value;
    };
    for (std::size_t i = 0; i < count; ++i) {
      if (type == "f32") tensor.values.push_back(static_cast<double>(element(float{}, i)));
      if (type == "f64") tensor.values.push_back(element(double{}, i));
      if (type == "i64") tensor.integers.push_back(element(std::int64_t{}, i));
    }
  }

  std::map<std::string, std::int64_t> config_;
  std::map<std::string, GoldenTensor> tensors_;
};

/// Every golden file, sorted by name.
inline std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(NDT_GOLDEN_DIR)) {
    if (entry.path().extension() == ".golden") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline Golden golden(const std::string& name) {
  return Golden(std::filesystem::path(NDT_GOLDEN_DIR) / (name + ".golden"));
}

}  // namespace support
