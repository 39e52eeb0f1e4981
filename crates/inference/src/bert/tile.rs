//! Tiles of matrix products, the inner loops of all that an encoder computes: a few rows of the left matrix, each number
//! of which is used for all columns of a panel of the right one while the sums stay in registers.

#![allow(unsafe_code)]

use super::machine::Machine;

/// Rows of a tile.
pub(crate) const ROWS: usize = 8;
/// Columns of a panel.
pub(crate) const COLUMNS: usize = 32;

/// `sums[r][c] = sum over k of rows[r][k] * panel[k][c]`. Rows are as long as the panel.
pub(crate) fn multiply(
    machine: Machine,
    rows: &[&[f32]; ROWS],
    panel: &[[f32; COLUMNS]],
    sums: &mut [[f32; COLUMNS]; ROWS],
) {
    match machine {
        // SAFETY: a `Machine` of these kinds is made where the processor was found to have the instructions.
        #[cfg(target_arch = "x86_64")]
        Machine::Avx512 => unsafe { x86::avx512(rows, panel, sums) },
        #[cfg(target_arch = "x86_64")]
        Machine::Avx2 => unsafe { x86::avx2(rows, panel, sums) },
        Machine::Plain => parts::<{ cfg!(target_arch = "aarch64") }, 4, 8>(rows, panel, sums),
    }
}

/// A tile in parts of `R` rows and `C` columns, as many sums as the machine has registers for.
#[inline(always)]
fn parts<const FUSED: bool, const R: usize, const C: usize>(
    rows: &[&[f32]; ROWS],
    panel: &[[f32; COLUMNS]],
    sums: &mut [[f32; COLUMNS]; ROWS],
) {
    const { assert!(ROWS.is_multiple_of(R) && COLUMNS.is_multiple_of(C), "parts that fill a tile") }
    for first in (0..ROWS).step_by(R) {
        let rows: [&[f32]; R] = std::array::from_fn(|r| &rows[first + r][..panel.len()]);
        for column in (0..COLUMNS).step_by(C) {
            let mut part = [[0.0; C]; R];
            for (k, line) in panel.iter().enumerate() {
                let line: &[f32; C] = line[column..column + C].try_into().expect("as long as a part is wide");
                for r in 0..R {
                    let factor = rows[r][k];
                    for c in 0..C {
                        part[r][c] = fused::<FUSED>(factor, line[c], part[r][c]);
                    }
                }
            }
            for r in 0..R {
                sums[first + r][column..column + C].copy_from_slice(&part[r]);
            }
        }
    }
}

/// `a * b + c`, rounded once where that is an instruction.
#[inline(always)]
pub(crate) fn fused<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;

    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
    pub(super) fn avx512(rows: &[&[f32]; ROWS], panel: &[[f32; COLUMNS]], sums: &mut [[f32; COLUMNS]; ROWS]) {
        parts::<true, 8, 32>(rows, panel, sums);
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2(rows: &[&[f32]; ROWS], panel: &[[f32; COLUMNS]], sums: &mut [[f32; COLUMNS]; ROWS]) {
        parts::<true, 4, 16>(rows, panel, sums);
    }
}
