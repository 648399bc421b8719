// tools/io/safetensors.cpp
#include "safetensors.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "content_hash.hpp"
#include "element_type.hpp"
#include "json_text.hpp"
#include "model_config.hpp"
#include "numbers.hpp"

namespace tool {

namespace {

using Metadata = std::map<std::string, std::string, std::less<>>;

struct Entry {
  std::string type;
  std::vector<std::size_t> shape;
  std::size_t begin, end;
};
using Entries = std::map<std::string, Entry, std::less<>>;

constexpr std::size_t largest_header = std::size_t{1} << 24;

std::optional<ElementType> element_type(std::string_view name) {
  if (name == "F32") return ElementType::f32;
  if (name == "F64") return ElementType::f64;
  if (name == "F16") return ElementType::f16;
  if (name == "BF16") return ElementType::bf16;
  if (name == "I64") return ElementType::i64;
  return std::nullopt;
}

std::string hash_of(const Metadata& metadata, const Entries& entries, std::string_view data) {
  ContentHash hash;
  hash.number(metadata.size() - metadata.count("content_hash"));
  for (const auto& [key, value] : metadata) {
    if (key == "content_hash") continue;
    hash.bytes(key);
    hash.bytes(value);
  }
  hash.number(entries.size());
  for (const auto& [name, entry] : entries) {
    hash.bytes(name);
    hash.bytes(entry.type);
    hash.number(entry.shape.size());
    for (const std::size_t size : entry.shape) hash.number(size);
    hash.bytes(data.substr(entry.begin, entry.end - entry.begin));
  }
  return hash.digits();
}

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  ModelFile read() {
    read_header();
    check_coverage();
    check_metadata();
    ModelFile model;
    model.config = parse_config_text(metadata_.at("config"), where_ + " config");
    if (const auto found = metadata_.find("name"); found != metadata_.end()) model.name = found->second;
    if (const auto found = metadata_.find("bin_width"); found != metadata_.end()) {
      model.bin_width = number(found->first, found->second, is_bin_width, "1e-6 to 3600 seconds are expected");
    }
    if (const auto found = metadata_.find("loss_topk"); found != metadata_.end()) {
      const auto is_share = [](double share) { return share >= 0 && share < 1; };
      model.loss_topk = number(found->first, found->second, is_share, "a share from 0 to less than 1 is expected");
    }
    for (const auto& [name, entry] : entries_) model.tensors.emplace(name, tensor(entry));
    return model;
  }

 private:
  void read_header() {
    if (bytes_.size() < 8)
      refuse("the file has only " + std::to_string(bytes_.size()) + " bytes", where_, "it is cut short");
    const auto length = load<std::uint64_t>(bytes_);
    if (length > bytes_.size() - 8 || length > largest_header) {
      refuse("the header claims " + std::to_string(length) + " bytes", where_ + " byte 0",
             "at most " + std::to_string(std::min(bytes_.size() - 8, largest_header)) + " are possible");
    }
    data_ = bytes_.substr(8 + length);
    const nlohmann::json header = parse_json(bytes_.substr(8, length), where_ + " header", 8);
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        read_metadata(value);
      } else {
        entries_.emplace(name, entry(name, value));
      }
    }
  }
  void read_metadata(const nlohmann::json& json) {
    if (!json.is_object()) refuse("__metadata__ is no object", where_ + " header", "texts by key are expected");
    for (const auto& [key, value] : json.items()) {
      if (!value.is_string()) {
        refuse("metadata " + printable(key) + " is no text", where_ + " header", "texts by key are expected");
      }
      metadata_.emplace(key, value.get<std::string>());
    }
  }
  Entry entry(const std::string& name, const nlohmann::json& json) const {
    const std::string place = where_ + " tensor " + printable(name);
    const auto sizes = [&](const char* key) {
      const auto found = json.is_object() ? json.find(key) : json.end();
      std::vector<std::size_t> result;
      if (!json.is_object() || found == json.end() || !found->is_array()) {
        refuse(std::string("the tensor has no ") + key, place, "an array of non-negative integers is expected");
      }
      for (const nlohmann::json& size : *found) {
        if (!size.is_number_unsigned()) {
          refuse(std::string("the tensor's ") + key + " are not all sizes", place,
                 "non-negative integers are expected");
        }
        result.push_back(size.get<std::size_t>());
      }
      return result;
    };
    Entry entry{{}, sizes("shape"), 0, 0};
    const std::vector<std::size_t> offsets = sizes("data_offsets");
    const auto type = json.find("dtype");
    if (type != json.end() && type->is_string()) entry.type = type->get<std::string>();
    const auto element = element_type(entry.type);
    if (!element) {
      refuse("the tensor has type " + printable(entry.type), place, "F32, F64, F16, BF16 or I64 is expected");
    }
    if (json.size() != 3)
      refuse("the tensor has unknown properties", place, "dtype, shape and data_offsets are expected");
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_.size()) {
      refuse("the tensor lies outside the file", place,
             "two offsets up to " + std::to_string(data_.size()) + " are expected");
    }
    entry.begin = offsets[0], entry.end = offsets[1];
    std::optional<std::size_t> size = tool::size_of(*element);
    for (const std::size_t n : entry.shape) size = size ? checked_product(*size, n) : size;
    if (!size || *size != entry.end - entry.begin) {
      refuse("the tensor's offsets span " + std::to_string(entry.end - entry.begin) + " bytes", place,
             size ? std::to_string(*size) + " are expected" : "its shape is impossible");
    }
    return entry;
  }
  /// Tensors must follow one another and fill the data exactly: no byte belongs to two of them or to none.
  void check_coverage() const {
    std::vector<const Entry*> order;
    for (const auto& [name, entry] : entries_) order.push_back(&entry);
    std::sort(order.begin(), order.end(),
              [](const Entry* a, const Entry* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
    std::size_t at = 0;
    for (const Entry* const entry : order) {
      if (entry->begin != at) {
        refuse("tensors overlap or leave a gap", where_ + " data byte " + std::to_string(std::min(at, entry->begin)),
               "one after the other is expected");
      }
      at = entry->end;
    }
    if (at != data_.size()) {
      refuse("the tensors end after " + std::to_string(at) + " bytes of data", where_,
             std::to_string(data_.size()) + " are there");
    }
  }
  void check_metadata() const {
    const auto value = [&](const char* key) -> const std::string& {
      const auto found = metadata_.find(key);
      if (found == metadata_.end()) {
        refuse(std::string("the metadata has no ") + key, where_, "a model file that `ndt convert` wrote is expected");
      }
      return found->second;
    };
    if (value("format") != "ndt") {
      refuse("the format is " + printable(value("format")), where_,
             "a model file that `ndt convert` wrote is expected");
    }
    if (value("format_version") != "1") {
      refuse("the model file has format version " + printable(value("format_version")), where_,
             "this program reads version 1: a newer file needs a newer program");
    }
    value("config");
    const std::string expected = hash_of(metadata_, entries_, data_);
    if (value("content_hash") != expected) {
      refuse("the content does not match its hash: the file is damaged or was changed", where_,
             "content_hash " + expected + " belongs to this content");
    }
  }
  double number(const std::string& key, const std::string& text, bool (*is_right)(double), const char* right) const {
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !is_right(value)) {
      refuse(key + " is " + printable(text), where_, right);
    }
    return value;
  }
  Tensor tensor(const Entry& entry) const {
    const ElementType type = *element_type(entry.type);
    const std::string_view content = data_.substr(entry.begin, entry.end - entry.begin);
    const std::size_t count = content.size() / tool::size_of(type);
    Tensor tensor;
    tensor.shape = entry.shape;
    if (is_floating(type)) {
      tensor.values.reserve(count);
    } else {
      tensor.integers.reserve(count);
    }
    for (std::size_t i = 0; i < count; ++i) append_element(tensor, type, content, i);
    return tensor;
  }
  [[noreturn]] static void refuse(const std::string& what, const std::string& where, const std::string& right) {
    throw Refused(what, where, right);
  }

  std::string_view bytes_, data_;
  const std::string& where_;
  Metadata metadata_;
  Entries entries_;
};

}  // namespace

bool is_safetensors(std::string_view bytes) {
  // A header of 16 MB or more is none; what begins with a length below that and a brace is at least meant to be one.
  return bytes.size() > 8 && bytes[8] == '{';
}

ModelFile read_safetensors(std::string_view bytes, const std::string& where) { return Reader(bytes, where).read(); }

std::string safetensors_bytes(const ModelFile& model) {
  Metadata metadata{{"format", "ndt"}, {"format_version", "1"}, {"config", config_text(model.config)}};
  if (!model.name.empty()) metadata["name"] = model.name;
  if (model.bin_width) metadata["bin_width"] = text(*model.bin_width);
  if (model.loss_topk < 1) metadata["loss_topk"] = text(model.loss_topk);
  // Integers first: so every number lies at a multiple of its size.
  Entries entries;
  std::string data;
  const auto add = [&](const std::string& name, const Tensor& tensor, const char* type, const auto& numbers) {
    const std::size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(numbers[0]));
    entries[name] = {type, tensor.shape, begin, data.size()};
  };
  for (const auto& [name, tensor] : model.tensors) {
    if (!tensor.integers.empty()) add(name, tensor, "I64", tensor.integers);
  }
  for (const auto& [name, tensor] : model.tensors) {
    if (tensor.integers.empty()) add(name, tensor, "F32", tensor.values);
  }
  metadata["content_hash"] = hash_of(metadata, entries, data);

  nlohmann::json header{{"__metadata__", metadata}};
  for (const auto& [name, entry] : entries) {
    header[name] = {{"dtype", entry.type}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes += static_cast<char>(text.size() >> 8 * i & 0xff);
  return bytes + text + data;
}

}  // namespace tool
