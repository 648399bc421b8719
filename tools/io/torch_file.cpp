// tools/io/torch_file.cpp
#include "torch_file.hpp"

#include <limits>

#include "bytes.hpp"
#include "model_check.hpp"
#include "pickle.hpp"
#include "zip_archive.hpp"

namespace tool {

namespace {

/// Elements that tensors may have beyond the bytes of the file: views may repeat their storage, within reason.
constexpr std::size_t repeated_elements = std::size_t{1} << 20;
constexpr std::string_view zip_start("PK\3\4", 4);
/// The magic number of torch.save as a long integer, and the end of a pickle of nothing else.
constexpr std::string_view magic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13);

/// PyTorch's older container begins with a pickle of its magic number, of any protocol from 2: from 4 in a frame.
bool is_stream(std::string_view bytes) {
  if (bytes.substr(0, 1) != "\x80" || bytes.size() < 2) return false;
  const std::string_view rest = bytes.substr(2);
  return rest.substr(0, magic.size()) == magic ||
         (rest.substr(0, 1) == "\x95" && rest.size() > 9 && rest.substr(9, magic.size()) == magic);
}

/// Elements of a view, if it lies inside a storage of `count` elements.
std::optional<std::size_t> elements_of(const pickle::TensorView& view, std::size_t count) {
  std::size_t elements = 1, last = view.offset;
  for (const std::size_t size : view.size) {
    const auto product = checked_product(elements, size);
    if (!product) return std::nullopt;
    elements = *product;
  }
  if (elements == 0) return 0;
  for (std::size_t i = 0; i < view.size.size(); ++i) {
    const auto step = checked_product(view.size[i] - 1, view.stride[i]);
    const auto sum = step ? checked_sum(last, *step) : std::nullopt;
    if (!sum) return std::nullopt;
    last = *sum;
  }
  if (last >= count) return std::nullopt;
  return elements;
}

}  // namespace

bool TorchFile::recognises(std::string_view bytes) {
  return bytes.substr(0, zip_start.size()) == zip_start || is_stream(bytes);
}

TorchFile::TorchFile(std::string_view bytes, std::string where)
    : where_(std::move(where)), elements_left_(repeated_elements) {
  if (bytes.substr(0, zip_start.size()) == zip_start) {
    open_zip(bytes);
  } else if (is_stream(bytes)) {
    open_stream(bytes);
  } else {
    throw Refused("this is no file of torch.save", where_, "a zip archive or PyTorch's older stream is expected");
  }
}

void TorchFile::open_zip(std::string_view bytes) {
  entries_ = read_zip(bytes, where_);
  std::string prefix;
  for (const auto& [name, content] : entries_) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos || name.substr(slash) != "/data.pkl") continue;
    if (!prefix.empty()) throw Refused("the archive has two data.pkl", where_, "one checkpoint is expected");
    prefix = name.substr(0, slash + 1);
  }
  const auto pickle = entries_.find(prefix + "data.pkl");
  if (prefix.empty() || pickle == entries_.end()) {
    throw Refused("the zip archive has no entry data.pkl", where_, "an archive written by torch.save is expected");
  }
  if (const auto order = entries_.find(prefix + "byteorder"); order != entries_.end() && order->second != "little") {
    throw Refused("the byte order is " + printable(order->second), where_, "little-endian is expected");
  }
  document_ = pickle::parse(pickle->second, where_ + " data.pkl");
  if (document_.length != pickle->second.size()) {
    throw Refused("something follows the pickle", where_ + " data.pkl byte " + std::to_string(document_.length),
                  "one pickle is expected");
  }
  for (const auto& [name, content] : entries_) {
    const std::string folder = prefix + "data/";
    if (name.compare(0, folder.size(), folder) != 0) continue;
    storages_.emplace(std::string_view(name).substr(folder.size()), content);
    elements_left_ += content.size();
  }
}

void TorchFile::open_stream(std::string_view bytes) {
  std::size_t offset = 0;
  const auto next = [&] {
    pickle::Document document = pickle::parse(bytes.substr(offset), where_, offset);
    offset += document.length;
    return document;
  };
  next();  // the magic number
  const std::size_t second = offset;
  const pickle::Document protocol = next();
  if (protocol.top().kind != pickle::Kind::integer || protocol.top().integer != 1001) {
    throw Refused("the stream has another protocol number", where_ + " byte " + std::to_string(second),
                  "1001 is expected");
  }
  const pickle::Document system = next();
  const pickle::Value* const little = system.find(system.top(), "little_endian");
  if (little == nullptr || little->kind != pickle::Kind::boolean || little->integer == 0) {
    throw Refused("the byte order is not little-endian", where_, "a file from a little-endian machine is expected");
  }
  document_ = next();
  const pickle::Document keys = next();

  std::map<std::string_view, std::pair<std::size_t, std::size_t>> sizes;  // count, bytes
  for (const pickle::Storage& storage : document_.storages) {
    const auto count = checked_product(storage.count, size_of(storage.type));
    if (!count || !sizes.emplace(storage.key, std::pair(storage.count, *count)).second) {
      if (!count || sizes[storage.key] != std::pair(storage.count, *count)) {
        throw Refused("storage " + printable(storage.key) + " has two sizes or types", where_, "one is expected");
      }
    }
  }
  Cursor in(bytes.substr(offset), where_, offset);
  for (const pickle::Ref ref : keys.top().items) {
    const std::string_view key = keys[ref].text;
    const auto found = sizes.find(key);
    if (found == sizes.end()) {
      throw Refused("storage " + printable(key) + " belongs to no tensor", in.place(), "the file is damaged");
    }
    const auto count = in.number<std::uint64_t>("a storage");
    if (count != found->second.first) {
      throw Refused("storage " + printable(key) + " has " + std::to_string(count) + " elements", in.place(),
                    std::to_string(found->second.first) + " are expected");
    }
    if (!storages_.emplace(key, in.take(found->second.second, "a storage")).second) {
      throw Refused("storage " + printable(key) + " is listed twice", in.place(), "the file is damaged");
    }
  }
  if (in.left() != 0)
    throw Refused("something follows the last storage", in.place(), "the end of the file is expected");
  elements_left_ += bytes.size();
}

std::string_view TorchFile::content_of(const pickle::Storage& storage, const std::string& name) const {
  const auto found = storages_.find(storage.key);
  if (found == storages_.end()) {
    throw Refused("storage " + printable(storage.key) + " is missing", where_ + " tensor " + name,
                  "the file is damaged");
  }
  const auto expected = checked_product(storage.count, size_of(storage.type));
  if (!expected || found->second.size() != *expected) {
    throw Refused("storage " + printable(storage.key) + " has " + std::to_string(found->second.size()) + " bytes",
                  where_ + " tensor " + name,
                  std::to_string(storage.count) + " elements of " + std::to_string(size_of(storage.type)) +
                      " bytes are expected");
  }
  return found->second;
}

Tensor TorchFile::tensor(const pickle::Value& value, const std::string& name) {
  if (value.kind != pickle::Kind::tensor)
    throw Refused("this is no tensor", where_ + " tensor " + name, "one is expected");
  const pickle::TensorView& view = document_.tensors[static_cast<std::size_t>(value.integer)];
  const pickle::Storage& storage = document_.storages[view.storage];
  const std::string_view content = content_of(storage, name);
  const auto count = elements_of(view, storage.count);
  if (!count) {
    throw Refused("a tensor of shape " + shape_text(view.size) + " with strides " + shape_text(view.stride) +
                      " and offset " + std::to_string(view.offset) + " does not lie inside its storage",
                  where_ + " tensor " + name, "the storage has " + std::to_string(storage.count) + " elements");
  }
  if (*count > elements_left_) {
    throw Refused("a tensor of shape " + shape_text(view.size) + " repeats its storage too often",
                  where_ + " tensor " + name, "tensors that are not much larger than their file are expected");
  }
  elements_left_ -= *count;

  Tensor tensor;
  tensor.shape = view.size;
  if (is_floating(storage.type)) {
    tensor.values.reserve(*count);
  } else {
    tensor.integers.reserve(*count);
  }
  std::vector<std::size_t> index(view.size.size(), 0);
  std::size_t at = view.offset;
  for (std::size_t i = 0; i < *count; ++i) {
    append_element(tensor, storage.type, content, at);
    for (std::size_t d = index.size(); d-- > 0;) {  // the next index, last dimension first
      at += view.stride[d];
      if (++index[d] < view.size[d]) break;
      at -= view.size[d] * view.stride[d];
      index[d] = 0;
    }
  }
  return tensor;
}

}  // namespace tool
