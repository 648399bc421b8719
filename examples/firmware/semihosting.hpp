// semihosting.hpp: words to whoever debugs or emulates the processor. A break point that the other side understands;
// without a debugger it is a fault.
#pragma once

#include <cstdint>

namespace semihosting {

enum class Operation : std::uint32_t {
  write_character = 0x03,  ///< SYS_WRITEC: a pointer to one character
  write_text = 0x04,       ///< SYS_WRITE0: a pointer to text that ends with 0
  exit = 0x18,             ///< SYS_EXIT: a reason
};

/// Arm's convention: the operation in r0, its one argument in r1.
inline void call(Operation operation, std::uint32_t argument) {
  register std::uint32_t r0 asm("r0") = static_cast<std::uint32_t>(operation);
  register std::uint32_t r1 asm("r1") = argument;
  asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

inline void write(char character) { call(Operation::write_character, reinterpret_cast<std::uint32_t>(&character)); }
inline void write(const char* text) { call(Operation::write_text, reinterpret_cast<std::uint32_t>(text)); }
inline void write(std::uint32_t number) {
  char digits[11];
  char* first = digits + sizeof digits - 1;
  *first = 0;
  do *--first = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  write(first);
}

/// Ends the emulation. The emulator's status is 0 for this reason of leaving and 1 for any other.
[[noreturn]] inline void exit(bool good) {
  constexpr std::uint32_t application_exit = 0x20026, run_time_error = 0x20023;
  call(Operation::exit, good ? application_exit : run_time_error);
  for (;;) {
  }
}

}  // namespace semihosting
