const blockBytes = 512;

/**
 * A tar archive with one program in it (POSIX.1-1988 ustar), without owner or time, so that the same file makes the same
 * bytes. The name is at most 100 bytes, the file less than 8 GB.
 */
export function tar(name: string, data: Uint8Array): Buffer {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, 100, "utf8");
  header.write("0000755\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148); // counts as spaces in its own sum
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((blockBytes - (data.length % blockBytes)) % blockBytes);
  return Buffer.concat([header, data, padding, Buffer.alloc(2 * blockBytes)]);
}
