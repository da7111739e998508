@HEADING@
#ifndef @GUARD@_OPS_H
#define @GUARD@_OPS_H

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

using @PREFIX@_op_resolver = tflite::MicroMutableOpResolver<@COUNT@>;

inline TfLiteStatus @PREFIX@_add_ops(@PREFIX@_op_resolver& resolver) {
@CALLS@
  return kTfLiteOk;
}

#endif
