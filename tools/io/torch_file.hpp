// tools/io/torch_file.hpp: what torch.save wrote, in both of its containers: the zip archive since PyTorch 1.6, and the
// stream of pickles and numbers before.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "model_file.hpp"
#include "pickle_value.hpp"

namespace tool {

class TorchFile {
 public:
  /// Whether the bytes begin as one of the two containers does.
  static bool recognises(std::string_view bytes);

  /// Reads either container. `bytes` must outlive the result; `where` names them in messages. Throws Refused.
  TorchFile(std::string_view bytes, std::string where);

  TorchFile(const TorchFile&) = delete;
  TorchFile& operator=(const TorchFile&) = delete;

  const std::string& where() const { return where_; }
  const pickle::Document& document() const { return document_; }

  /// The tensor that `value` is, contiguous. `name` is for messages. Throws Refused where the tensor reaches outside
  /// its storage, or where all tensors together would take far more memory than there are bytes in the file. Views that
  /// show elements twice or more, such as those of expand(), are written out.
  Tensor tensor(const pickle::Value& value, const std::string& name);

 private:
  void open_zip(std::string_view bytes);
  void open_stream(std::string_view bytes);
  std::string_view content_of(const pickle::Storage& storage, const std::string& name) const;

  std::string where_;
  std::map<std::string, std::string, std::less<>> entries_;  ///< of a zip archive, unpacked
  std::map<std::string_view, std::string_view> storages_;    ///< contents by key
  pickle::Document document_;
  std::size_t elements_left_;  ///< that tensors may still take
};

}  // namespace tool
