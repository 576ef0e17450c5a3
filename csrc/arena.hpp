// Scratch memory that a thread keeps.
#pragma once

#include <stdint.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace fastloss {
namespace {

// Between buffers, so that they do not share the low 12 bits of their addresses.
constexpr int64_t stagger = 320;

// Scratch memory that a thread keeps from call to call.
class Arena {
  public:
    ~Arena() { free(memory_); }
    char* get(int64_t size) {
        if (size > size_) {
            free(memory_);
            memory_ = static_cast<char*>(aligned_alloc(4096, (size + 4095) / 4096 * 4096));
            size_ = memory_ ? size : 0;
        }
        return memory_;
    }
    void trim() {
        if (size_ <= most_kept) return;
        free(memory_);
        memory_ = nullptr;
        size_ = 0;
    }

  private:
    static constexpr int64_t most_kept = 8 << 20;
    char* memory_ = nullptr;
    int64_t size_ = 0;
};

Arena& arena() {
    static thread_local Arena instance;
    return instance;
}

// Where AddressSanitizer watches, nobody may touch what lies between buffers.
void forbid([[maybe_unused]] char* gap) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(gap, stagger);
#endif
}

void allow([[maybe_unused]] char* memory, [[maybe_unused]] int64_t size) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(memory, size);
#endif
}

}  // namespace
}  // namespace fastloss
