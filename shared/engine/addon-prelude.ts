/**
 * While TensorFlow computes, its threads take no signals, which wait until it is done.
 *
 * oneDNN up to 3.11, which TensorFlow 2.21 has, lets the stack pointer of its matrix product point into its
 * working memory on the heap. A signal that comes then has its frame written there, over what lies before
 * it, and the process ends when that is freed (uxlfoundation/oneDNN issue 4845). A profiler sends signals
 * all the time, so do the ends of child processes, Ctrl-C, and a terminal that changes its size.
 *
 * Threads inherit what they block, so the context's pools never take a signal either. What the processor
 * itself raises, as for a bad address, is let through.
 */
const SIGNAL_GUARD = `
#include <initializer_list>
#include <pthread.h>
#include <signal.h>

namespace graft {

class SignalGuard {
 public:
  SignalGuard() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&blocked, fault);
    pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~SignalGuard() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  sigset_t before_;
};

}  // namespace graft
`

/**
 * Takes those pages of TensorFlow's libraries out of this process that loading them has touched: 290 MiB of names, relocations and
 * code that registers kernels, few of which are read again; those come back from the file, some 46 MiB as a network is
 * judged. Only what is mapped read-only and was never written to (`man 2 madvise`, MADV_DONTNEED), on Linux.
 */
const LIBRARY_PAGES = `
#ifdef __linux__
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace graft {

#ifdef __linux__
// A library whose code the loader has written to would lose that.
inline bool IsWrittenTo(const dl_phdr_info& library) {
  for (int i = 0; i < library.dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = library.dlpi_phdr[i];
    if (part.p_type != PT_DYNAMIC) continue;
    const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(library.dlpi_addr + part.p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_TEXTREL) return true;
      if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0) return true;
    }
  }
  return false;
}

inline int ReleasePagesOf(dl_phdr_info* library, size_t, void*) {
  if (strstr(library->dlpi_name, "libtensorflow") == nullptr || IsWrittenTo(*library)) return 0;
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = library->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const uintptr_t start = library->dlpi_addr + part.p_vaddr;
    const uintptr_t first = (start + page - 1) / page * page;
    const uintptr_t end = (start + part.p_filesz) / page * page;
    if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
  }
  return 0;
}

inline void ReleaseLibraryPages() { dl_iterate_phdr(ReleasePagesOf, nullptr); }
#else
inline void ReleaseLibraryPages() {}
#endif

}  // namespace graft
`

const WRAPPERS = `
#include "tensorflow/c/eager/c_api.h"

namespace graft {

inline TFE_Context* NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  SignalGuard guard;
  TFE_Context* context = TFE_NewContext(options, status);
  ReleaseLibraryPages();
  return context;
}

inline void Execute(TFE_Op* op, TFE_TensorHandle** results, int* count, TF_Status* status) {
  SignalGuard guard;
  TFE_Execute(op, results, count, status);
}

}  // namespace graft

#define TFE_NewContext graft::NewContext
#define TFE_Execute graft::Execute
`

/** What is compiled into tfjs-node's addon in front of its own source. */
export const ADDON_PRELUDE = SIGNAL_GUARD + LIBRARY_PAGES + WRAPPERS
