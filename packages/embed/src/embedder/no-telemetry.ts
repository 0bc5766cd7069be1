/**
 * Turns ONNX Runtime's telemetry off; imported for its effect before the runtime is.
 *
 * The Linux library of onnxruntime-node 1.30 carries an uploader and says so in a container without a home folder ("Failed to
 * persist telemetry device ID"). We saw no upload and want none. A thread's `process.env` is a copy that native code does not
 * see, so this works because the main thread of a worker loads the engine before it starts its threads.
 */

process.env.ORT_DISABLE_TELEMETRY ??= '1';
