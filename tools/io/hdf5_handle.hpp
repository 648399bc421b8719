// tools/io/hdf5_handle.hpp: identifiers of libhdf5 that close themselves, and what libhdf5 has to say.
// For the sources that run libhdf5, in a child process (isolated.hpp); nothing else includes this.
#pragma once

#include <hdf5.h>

#include <string>
#include <string_view>
#include <utility>

namespace tool::hdf5 {

/// The reason why the child gives up; the parent adds the file and throws it as Refused.
struct GivenUp {
  std::string what;
  std::string right;
};

class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }
  bool ok() const { return id_ >= 0; }
  /// Where failing to close is failing to write. Not tried twice.
  bool closed() { return close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_;
  Close close_;
};

/// The innermost message of the last failure, which names the cause; those further out say what did not work for it.
inline std::string last_error() {
  std::string message;
  const auto keep_first = [](unsigned n, const H5E_error2_t* error, void* to) -> herr_t {
    if (n == 0 && error->desc) *static_cast<std::string*>(to) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &message);
  // A failure of the system comes with file name, buffer address and time around the part that counts.
  constexpr std::string_view before = "error message = '";
  if (const auto start = message.find(before); start != std::string::npos) {
    const auto from = start + before.size();
    message = message.substr(from, message.find('\'', from) - from);
  }
  return message.empty() ? "no reason given" : message;
}

/// libhdf5 prints its errors unless told otherwise.
inline void be_silent() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

}  // namespace tool::hdf5
