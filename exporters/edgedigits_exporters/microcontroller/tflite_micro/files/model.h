@HEADING@
#ifndef @GUARD@_MODEL_H
#define @GUARD@_MODEL_H

#ifdef __cplusplus
extern "C" {
#endif

/* The .tflite file, aligned to 16 bytes. */
extern const unsigned char @PREFIX@_model[];
extern const int @PREFIX@_model_len;

/* Bytes for the tensor arena, an estimate: @ACTIVATIONS@ for activations, @STRUCTURES@ for the
   interpreter's tables, @SCRATCH@ for CMSIS-NN. interpreter.arena_used_bytes() returns what it used. */
#define @GUARD@_MODEL_ARENA_BYTES @ARENA@

#ifdef __cplusplus
}
#endif

#endif
