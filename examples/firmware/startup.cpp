// startup.cpp: from reset to main on a Cortex-M7 or M55, and what happens on a fault. No C library takes part.
#include <cstdint>

#include "semihosting.hpp"
#include "stack.hpp"

int main();

extern "C" {

// Of the linker script.
extern const std::uint32_t data_in_flash[];
extern std::uint32_t data_begin[], data_end[], bss_begin[], bss_end[];

[[noreturn]] void reset();

[[noreturn]] void fault() {
  semihosting::write("fault\n");
  semihosting::exit(false);
}

using Handler = void (*)();
/// Where the processor finds its stack and what to run. The faults are numbers 2 to 7; nothing behind them is enabled.
struct Vectors {
  std::uint32_t* stack;
  Handler handlers[7];
};
[[gnu::section(".vectors"), gnu::used]] const Vectors vectors = {stack_top,
                                                                 {reset, fault, fault, fault, fault, fault, fault}};

void reset() {
  // The floating-point unit, and on the M55 the vectors with it, are off until coprocessors 10 and 11 are allowed.
  volatile auto& coprocessor_access = *reinterpret_cast<volatile std::uint32_t*>(0xE000ED88);
  coprocessor_access = coprocessor_access | 0xFu << 20;
  asm volatile("dsb\n   isb" : : : "memory");

  std::uint32_t* here;
  asm volatile("mov %0, sp" : "=r"(here));
  // volatile, so that no compiler makes library calls of these loops.
  for (volatile std::uint32_t* word = stack_bottom; word < here; ++word) *word = stack::colour;
  const std::uint32_t* from = data_in_flash;
  for (volatile std::uint32_t* to = data_begin; to != data_end; ++to) *to = *from++;
  for (volatile std::uint32_t* to = bss_begin; to != bss_end; ++to) *to = 0;

  // Everything static is constinit: there are no constructors to run.
  main();
  semihosting::exit(true);
}

}  // extern "C"
