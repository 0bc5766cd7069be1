/** WebAssembly module that multiplies a query with many rows of 16-bit integers, for the scan of `PackedVectors`. */

/** Integers per step of the inner loop; rows are padded to a multiple of it. */
export const STEP_INTEGERS = 16;

/** Multiplies rows; all positions and sizes are in bytes of the memory of the module. */
export type ScanFunction = (
  query: number,
  rows: number,
  count: number,
  rowBytes: number,
  out: number,
) => void;

/** The parts of the WebAssembly interface that this file uses; the types of Node do not declare it. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: { scan: ScanFunction } };
  Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
}

/** Memory of a module. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

const { Module, Instance, Memory } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** Bytes per page of a memory. */
const PAGE_BYTES = 65_536;

/** A memory of at least this many bytes, filled with zeros. */
export function allocateMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return new Memory({ initial: pages, maximum: pages });
}

/** The scan function over a memory. */
export function scanFunction(memory: WasmMemory): ScanFunction {
  compiled ??= new Module(moduleBytes());
  return new Instance(compiled, { m: { m: memory } }).exports.scan;
}

let compiled: object | undefined;

/**
 * The binary form of:
 *
 * ```
 * (func (export "scan") (param $query i32) (param $row i32) (param $count i32) (param $rowBytes i32) (param $out i32)
 *   (local $at i32) (local $end i32) (local $sums v128)
 *   while ($count != 0) {
 *     $at = $query; $end = $query + $rowBytes; $sums = 0
 *     do {
 *       $sums += i32x4.dot_i16x8_s(load($at), load($row)) + i32x4.dot_i16x8_s(load($at + 16), load($row + 16))
 *       $at += 32; $row += 32
 *     } while ($at < $end)
 *     store($out, the sum of the four lanes of $sums)
 *     $out += 4; $count -= 1
 *   })
 * ```
 */
function moduleBytes(): Uint8Array {
  const [query, row, count, rowBytes, out, at, end, sums] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const [i32, v128] = [0x7f, 0x7b];
  const get = (local: number) => [0x20, local];
  const set = (local: number) => [0x21, local];
  const constant = (value: number) => [0x41, value];
  const [add, sub, isZero, isBelow] = [0x6a, 0x6b, 0x45, 0x49];
  const load = (address: number, offset: number) => [...get(address), 0xfd, 0x00, 0x00, offset];
  const dot = [0xfd, 0xba, 0x01];
  const addLanes = [0xfd, 0xae, 0x01];
  const lane = (n: number) => [...get(sums), 0xfd, 0x1b, n];
  const advance = (local: number, bytes: number) => [...get(local), ...constant(bytes), add, ...set(local)];
  const [block, loop, branch, branchIf, endOfBlock, empty] = [0x02, 0x03, 0x0c, 0x0d, 0x0b, 0x40];

  const code = [
    ...[block, empty, loop, empty],
    ...[...get(count), isZero, branchIf, 1],
    ...[...get(query), ...set(at)],
    ...[...get(query), ...get(rowBytes), add, ...set(end)],
    ...[0xfd, 0x0c, ...new Array<number>(16).fill(0), ...set(sums)],
    ...[loop, empty],
    ...[...get(sums), ...load(at, 0), ...load(row, 0), ...dot, ...addLanes],
    ...[...load(at, 16), ...load(row, 16), ...dot, ...addLanes, ...set(sums)],
    ...[...advance(at, 32), ...advance(row, 32)],
    ...[...get(at), ...get(end), isBelow, branchIf, 0, endOfBlock],
    ...[...get(out), ...lane(0), ...lane(1), add, ...lane(2), add, ...lane(3), add, 0x36, 0x02, 0x00],
    ...advance(out, 4),
    ...[...get(count), ...constant(1), sub, ...set(count)],
    ...[branch, 0, endOfBlock, endOfBlock, endOfBlock],
  ];
  const section = (id: number, content: readonly number[]) => [id, ...unsigned(content.length), ...content];
  const name = (text: string) => [text.length, ...Array.from(text, (char) => char.charCodeAt(0))];
  const body = [2, 2, i32, 1, v128, ...code];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 5, i32, i32, i32, i32, i32, 0]),
    ...section(2, [1, ...name('m'), ...name('m'), 0x02, 0x00, 0x01]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('scan'), 0x00, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

/** LEB128 form of a whole number. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >> 7)];
}
