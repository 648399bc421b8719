// What the tool and the tests share of the products: compiled once for each type of elements.
#include <ndt/kernels/compiled.hpp>

NDT_COMPILE_PRODUCTS(NDT_ELEMENT)
