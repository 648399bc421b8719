// tools/io/content_hash.cpp
#include "content_hash.hpp"

#include <nettle/sha2.h>

#include <array>

namespace tool {

struct ContentHash::State {
  sha256_ctx context;
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) { sha256_init(&state_->context); }
ContentHash::~ContentHash() = default;

void ContentHash::number(std::uint64_t value) {
  std::array<std::uint8_t, 8> little_endian;
  for (std::size_t i = 0; i < little_endian.size(); ++i) little_endian[i] = static_cast<std::uint8_t>(value >> 8 * i);
  sha256_update(&state_->context, little_endian.size(), little_endian.data());
}

void ContentHash::bytes(std::string_view value) {
  number(value.size());
  sha256_update(&state_->context, value.size(), reinterpret_cast<const std::uint8_t*>(value.data()));
}

std::string ContentHash::digits() {
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest;
  sha256_digest(&state_->context, digest.size(), digest.data());
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace tool
