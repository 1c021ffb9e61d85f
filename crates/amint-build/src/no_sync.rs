//! A filter that answers requests to write data to the disk at once, without doing it.
//!
//! A tree under construction is thrown away when the machine fails, so `fsync(2)` and its kin buy nothing and cost
//! most of the time that package tools take. The kernel runs the filter (`seccomp(2)`, classic BPF), so it holds for
//! every program, needs no library inside the image, and lets all other calls pass.

/// `BPF_LD | BPF_W | BPF_ABS`
const LOAD: u16 = 0x20;
/// `BPF_JMP | BPF_JEQ | BPF_K`
const JUMP_IF_EQUAL: u16 = 0x15;
/// `BPF_RET | BPF_K`
const RETURN: u16 = 0x06;
/// `SECCOMP_RET_ALLOW`
const ALLOW: u32 = 0x7fff_0000;
/// `SECCOMP_RET_ERRNO` with error 0: the call is not made and reports success.
const SUCCEED: u32 = 0x0005_0000;
/// Offsets in `struct seccomp_data`.
const NUMBER_OFFSET: u32 = 0;
const ARCHITECTURE_OFFSET: u32 = 4;

/// `AUDIT_ARCH_…` and the numbers of sync, fsync, fdatasync, msync, syncfs and `sync_file_range`
/// (the kernel's system call tables).
const X86_64: (u32, [u32; 6]) = (0xc000_003e, [162, 74, 75, 26, 306, 277]);
const AARCH64: (u32, [u32; 6]) = (0xc000_00b7, [81, 82, 83, 227, 267, 84]);

/// Returns the filter for programs of this machine's architecture, or none where their numbers are not known.
pub(crate) fn filter() -> Option<Vec<u8>> {
    match std::env::consts::ARCH {
        "x86_64" => Some(program(X86_64)),
        "aarch64" => Some(program(AARCH64)),
        _ => None,
    }
}

/// `struct sock_filter` one after the other, in the machine's byte order.
fn program((architecture, calls): (u32, [u32; 6])) -> Vec<u8> {
    let count = u8::try_from(calls.len()).unwrap_or(u8::MAX);
    let mut bytes = Vec::new();
    let mut add = |code: u16, if_true: u8, if_false: u8, value: u32| {
        bytes.extend_from_slice(&code.to_ne_bytes());
        bytes.extend_from_slice(&[if_true, if_false]);
        bytes.extend_from_slice(&value.to_ne_bytes());
    };
    add(LOAD, 0, 0, ARCHITECTURE_OFFSET);
    // Programs of another architecture have other numbers: they pass.
    add(JUMP_IF_EQUAL, 0, count + 1, architecture);
    add(LOAD, 0, 0, NUMBER_OFFSET);
    for (left, call) in (0..count).rev().zip(calls) {
        add(JUMP_IF_EQUAL, left + 1, 0, call);
    }
    add(RETURN, 0, 0, ALLOW);
    add(RETURN, 0, 0, SUCCEED);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_jump_lands_on_an_answer() {
        let bytes = program(X86_64);
        let instructions: Vec<&[u8]> = bytes.chunks_exact(8).collect();
        let (allow, succeed) = (instructions.len() - 2, instructions.len() - 1);
        for (index, instruction) in instructions.iter().enumerate().filter(|(_, code)| code[0] == 0x15) {
            let target = |offset: u8| index + 1 + usize::from(offset);
            if index == 1 {
                assert_eq!((target(instruction[2]), target(instruction[3])), (2, allow));
            } else {
                assert_eq!((target(instruction[2]), target(instruction[3])), (succeed, index + 1));
            }
        }
    }
}
