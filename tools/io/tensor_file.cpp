// tools/io/tensor_file.cpp
#include "tensor_file.hpp"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "content_hash.hpp"
#include "element_type.hpp"
#include "json_text.hpp"
#include "refused.hpp"

namespace tool {

namespace {

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
  Reader(std::string_view bytes, const std::string& where, const TensorFileKind& kind)
      : bytes_(bytes), where_(where), kind_(kind) {}

  TensorFile read() {
    read_header();
    check_coverage();
    check_metadata();
    TensorFile file;
    for (const auto& [name, entry] : entries_) file.tensors.emplace(name, tensor(entry));
    file.metadata = std::move(metadata_);
    return file;
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
        refuse(std::string("the metadata has no ") + key, where_, std::string(kind_.expected) + " is expected");
      }
      return found->second;
    };
    if (value("format") != kind_.format) {
      refuse("the format is " + printable(value("format")), where_, std::string(kind_.expected) + " is expected");
    }
    if (value("format_version") != "1") {
      refuse("the file has format version " + printable(value("format_version")), where_,
             "this program reads version 1: a newer file needs a newer program");
    }
    value("config");
    const std::string expected = hash_of(metadata_, entries_, data_);
    if (value("content_hash") != expected) {
      refuse("the content does not match its hash: the file is damaged or was changed", where_,
             "content_hash " + expected + " belongs to this content");
    }
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
  const TensorFileKind& kind_;
  Metadata metadata_;
  Entries entries_;
};

}  // namespace

bool is_tensor_file(std::string_view bytes) {
  // A header of 16 MB or more is none; what begins with a length below that and a brace is at least meant to be one.
  return bytes.size() > 8 && bytes[8] == '{';
}

TensorFile parse_tensor_file(std::string_view bytes, const std::string& where, const TensorFileKind& kind) {
  return Reader(bytes, where, kind).read();
}

std::string tensor_file_bytes(const TensorFileKind& kind, Metadata metadata, const Tensors& tensors) {
  metadata["format"] = kind.format;
  metadata["format_version"] = "1";
  // Integers first: so every number lies at a multiple of its size.
  Entries entries;
  std::string data;
  const auto add = [&](const std::string& name, const Tensor& tensor, const char* type, const auto& numbers) {
    const std::size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(numbers[0]));
    entries[name] = {type, tensor.shape, begin, data.size()};
  };
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.integers.empty()) add(name, tensor, "I64", tensor.integers);
  }
  for (const auto& [name, tensor] : tensors) {
    if (tensor.integers.empty()) add(name, tensor, "F32", tensor.values);
  }
  metadata["content_hash"] = hash_of(metadata, entries, data);

  nlohmann::json header{{"__metadata__", metadata}};
  for (const auto& [name, entry] : entries) {
    header[name] = {{"dtype", entry.type}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > largest_header) {  // rather than a file that cannot be read again
    throw Refused("a header of " + std::to_string(text.size()) + " bytes for " + counted(entries.size(), "tensor"),
                  std::string("a file of format ") + kind.format,
                  "at most " + std::to_string(largest_header) + " are possible: a model of fewer layers");
  }
  std::string bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes += static_cast<char>(text.size() >> 8 * i & 0xff);
  return bytes + text + data;
}

}  // namespace tool
