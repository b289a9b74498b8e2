/**
 * What is compiled into tfjs-node's addon in front of its own source: while TensorFlow computes, its threads
 * take no signals, which wait until it is done.
 *
 * oneDNN up to 3.11, which TensorFlow 2.21 has, lets the stack pointer of its matrix product point into its
 * working memory on the heap. A signal that comes then has its frame written there, over what lies before
 * it, and the process ends when that is freed (uxlfoundation/oneDNN issue 4845). A profiler sends signals
 * all the time, so do the ends of child processes, Ctrl-C, and a terminal that changes its size.
 *
 * Threads inherit what they block, so the context's pools never take a signal either. What the processor
 * itself raises, as for a bad address, is let through.
 */
export const SIGNAL_GUARD = `
#include <initializer_list>
#include <pthread.h>
#include <signal.h>
#include "tensorflow/c/eager/c_api.h"

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

inline TFE_Context* NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  SignalGuard guard;
  return TFE_NewContext(options, status);
}

inline void Execute(TFE_Op* op, TFE_TensorHandle** results, int* count, TF_Status* status) {
  SignalGuard guard;
  TFE_Execute(op, results, count, status);
}

}  // namespace graft

#define TFE_NewContext graft::NewContext
#define TFE_Execute graft::Execute
`
