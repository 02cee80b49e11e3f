// What a system says of a file that it does not give, in the words of the command.

/** The words for what goes wrong most; node has others for it. */
const WORDS = {
    EACCES: "Permission denied",
    EPERM: "Operation not permitted",
    EIO: "Input/output error",
    ELOOP: "Too many levels of symbolic links",
    ENOENT: "No such file or directory",
    ENOTDIR: "Not a directory",
    EMFILE: "Too many open files",
    ENAMETOOLONG: "File name too long",
    ESTALE: "Stale file handle",
};

/** An error in a sentence: whatever was thrown has one. */
export function sentence(error) {
    const words = WORDS[error?.code];
    if (words !== undefined && error.errno < 0) return `${words} (os error ${-error.errno})`;
    return error?.message || String(error);
}

/** What stands where a plain file should be; none where one is. `what` is what node says of it. */
export function notFile(what) {
    if (what.isFile()) return undefined;
    if (what.isDirectory()) return "it is a folder, not a file";
    if (what.isFIFO()) return "it is a FIFO, not a file";
    return what.isSocket() ? "it is a socket, not a file" : "it is a device, not a file";
}
