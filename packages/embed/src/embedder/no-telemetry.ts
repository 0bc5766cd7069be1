/**
 * Disables the telemetry of ONNX Runtime; imported for its side effect before the runtime is loaded.
 *
 * The Linux library of onnxruntime-node 1.30 contains an uploader, as its message in a container without a
 * home folder shows ("Failed to persist telemetry device ID"). We observed no upload and want none. The
 * `process.env` of a thread is a copy that native code does not see, so this works only because the main
 * thread of a worker loads the engine before it starts its threads.
 */

process.env.ORT_DISABLE_TELEMETRY ??= '1';
