// forward() takes no memory from anyone, throws nothing and leaves no lock behind: the allocator is trapped.
#include <atomic>
#include <cstdlib>
#include <new>

#include "../support/catch.hpp"
#include "../support/golden.hpp"
#include "../support/stream.hpp"

// The C allocator's own entry points, so that operator new and everything else that allocates passes here. A sanitizer
// has its own allocator in the same place; there operator new alone is watched.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NDT_TRAP_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NDT_TRAP_MALLOC 0
#endif
#endif
#ifndef NDT_TRAP_MALLOC
#define NDT_TRAP_MALLOC 1
#endif

namespace {
std::atomic<bool> armed{false};
std::atomic<int> allocations{0};
void note() noexcept {
  if (armed.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

#if NDT_TRAP_MALLOC
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t size) { return note(), __libc_malloc(size); }
void* calloc(std::size_t n, std::size_t size) { return note(), __libc_calloc(n, size); }
void* realloc(void* p, std::size_t size) { return note(), __libc_realloc(p, size); }
int posix_memalign(void** p, std::size_t alignment, std::size_t size) {
  note();
  *p = __libc_memalign(alignment, size);
  return *p == nullptr ? 12 : 0;  // ENOMEM
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return note(), __libc_memalign(alignment, size); }
}
#else
void* operator new(std::size_t size) {
  note();
  if (void* const p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
#endif

namespace {

template <class Work>
int allocations_of(Work work) {
  allocations = 0;
  armed = true;
  work();
  armed = false;
  return allocations;
}

}  // namespace

TEST_CASE("the trap catches an allocation", "[house]") {
  CHECK(allocations_of([] {
          std::vector<int>* volatile v = new std::vector<int>(100);
          delete v;
        }) >= 2);
}

TEMPLATE_TEST_CASE("forward and bind do not allocate", "[house]", ndt::simd::scalar<float>, ndt::simd::native<float>,
                   ndt::simd::native<double>) {
  using T = typename TestType::value_type;
  const std::string name = GENERATE(from_range(support::golden_names()));
  INFO(name);
  const support::Golden golden = support::golden(name);
  const auto packed = golden.packed<TestType>();
  const auto& counts = golden["counts"];
  const std::size_t trials = counts.extents.size[0], bins = counts.extents.size[1];
  const ndt::ModelConfig config = golden.config();
  ndt::DynamicTransformer<TestType> model;
  std::vector<T> log_rates(trials * bins * config.neurons), hidden(trials * bins * config.width());
  std::vector<T> layers(config.layers * hidden.size()), attention(trials * config.layers * bins * bins);
  std::vector<T> workspace(ndt::DynamicTransformer<TestType>(ndt::DynamicShape{config}).workspace_size(bins));
  bool bound = false;
  STATIC_REQUIRE(noexcept(model.forward({}, counts.integers.data(), trials, bins, workspace)));
  CHECK(allocations_of([&] {
          bound = model.bind({config}, packed).ok();
          model.forward({log_rates.data(), hidden.data(), layers.data(), attention.data()}, counts.integers.data(),
                        trials, bins, workspace);
        }) == 0);
  CHECK(bound);
}

TEST_CASE("packing weights does not allocate", "[house]") {
  using V = ndt::simd::native<float>;
  const ndt::DynamicShape shape{support::golden("base").config()};
  std::vector<float> memory(ndt::DynamicTransformer<V>(shape).packed_size());
  const std::vector<float> zeros(1000);
  bool packed = true;
  CHECK(allocations_of([&] {
          packed = ndt::pack_weights<V>(std::span<float>(memory), shape, [&](std::string_view name) {
                     ndt::StoredTensor<float> stored;
                     ndt::DynamicTransformer<V>(shape).visit_tensors(
                         [&](const ndt::Name& each, const float*, const ndt::TensorSpec& spec) {
                           if (each.view() == name) stored = {zeros.data(), nullptr, spec.extents};
                         });
                     return stored;
                   }).ok();
        }) == 0);
  CHECK(packed);
}

TEST_CASE("streams do not allocate", "[house]") {
  using V = ndt::simd::native<float>;
  ndt::ModelConfig config;
  config.neurons = 3, config.trial_length = 9, config.max_spikes = 2, config.context_forward = 1;
  const support::RandomModel<V> random(config);
  const std::vector<int> counts(config.neurons, 1);
  for (const ndt::StreamPolicy policy :
       {ndt::StreamPolicy::delayed, ndt::StreamPolicy::immediate, ndt::StreamPolicy::windowed}) {
    support::Stream<V> s(random.model, {policy, ndt::PastEnd::restart});
    STATIC_REQUIRE(noexcept(s.decoder.step(counts.data())));
    CHECK(allocations_of([&] {
            s.status = s.decoder.bind(random.model, {{policy, ndt::PastEnd::restart}}, s.state);
            s.decoder.prepare();
            for (int i = 0; i < 30; ++i) s.decoder.step(counts.data());
            s.decoder.step_missing();
            s.decoder.flush();
            s.decoder.reset();
          }) == 0);
    CHECK(s.status.ok());
  }
}
