// tools/io/tensor_file.hpp: named tensors and texts in one file. The format is safetensors
// (github.com/huggingface/safetensors): a 64-bit length, a JSON header of that length, and the tensors' data. Every
// file has in its header's __metadata__:
//
//   format          what kind of file it is
//   format_version  1; a file with another one is refused
//   config          JSON text
//   content_hash    SHA-256 of the metadata and the tensors (content_hash.hpp)
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// A tensor of floating values (any stored width, as float) or of integers (int64); the other vector is empty.
struct Tensor {
  std::vector<std::size_t> shape;
  std::vector<float> values;
  std::vector<std::int64_t> integers;
};
using Tensors = std::map<std::string, Tensor, std::less<>>;
using Metadata = std::map<std::string, std::string, std::less<>>;

struct TensorFile {
  Metadata metadata;
  Tensors tensors;
};

/// What a reader is looking for.
struct TensorFileKind {
  const char* format;
  const char* expected;  ///< "a model file that `ndt convert` wrote", for messages
};

/// Whether the bytes begin as such a file does.
bool is_tensor_file(std::string_view bytes);

/// Tensors may be F32, F64, F16, BF16 or I64. Throws Refused for anything that is not whole and of this kind: the hash
/// is compared.
TensorFile parse_tensor_file(std::string_view bytes, const std::string& where, const TensorFileKind& kind);

/// The file's bytes; format, version and hash are added to the metadata.
std::string tensor_file_bytes(const TensorFileKind& kind, Metadata metadata, const Tensors& tensors);

}  // namespace tool
