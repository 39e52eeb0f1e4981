//! Matrix products: unsafe code behind checked lengths.

#![allow(unsafe_code)]

use gemm_common::Parallelism;

/// A matrix inside a slice: row `r`, column `c` is at `offset + r * row_stride + c * col_stride`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) row_stride: usize,
    pub(crate) col_stride: usize,
}

impl<'a> View<'a> {
    /// Rows one after the other, `row_stride` apart; `data` begins at the first element.
    pub(crate) const fn rows(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The same matrix mirrored at its diagonal.
    pub(crate) const fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    const fn fits(&self) -> bool {
        self.rows == 0
            || self.cols == 0
            || (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride < self.data.len()
    }
}

/// `out = scale * a * b`, plus what `out` held before if `add`. `out` has `a.rows` rows of `b.cols` numbers,
/// `out_stride` apart.
///
/// # Panics
/// When the shapes do not fit each other or a matrix reaches past its slice.
pub(crate) fn multiply(out: &mut [f32], out_stride: usize, a: View<'_>, b: View<'_>, scale: f32, add: bool) {
    assert_eq!(a.cols, b.rows, "inner dimensions");
    assert!(a.fits() && b.fits(), "operands within their slices");
    assert!(a.rows == 0 || (a.rows - 1) * out_stride + b.cols <= out.len(), "result within its slice");
    assert!(b.cols <= out_stride, "rows of the result do not overlap");
    let stride = |length: usize| isize::try_from(length).expect("a stride within a slice");
    // SAFETY: the asserts above bound every element that the kernel reads (rows x cols of `a` and `b` at their
    // strides) and writes (`a.rows` x `b.cols` of `out`); `out` is borrowed mutably, so it overlaps neither.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            a.rows,
            b.cols,
            a.cols,
            out.as_mut_ptr(),
            1,
            stride(out_stride),
            add,
            a.data.as_ptr(),
            stride(a.col_stride),
            stride(a.row_stride),
            b.data.as_ptr(),
            stride(b.col_stride),
            stride(b.row_stride),
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_plain_transposed_and_scaled() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let b = [1.0, 0.0, 2.0, 0.0, 1.0, 1.0];
        let mut out = vec![100.0; 4];
        let (a, b) = (View::rows(&a, 2, 3, 3), View::rows(&b, 2, 3, 3));
        multiply(&mut out, 2, a, b.transposed(), 0.5, false);
        assert_eq!(out, [3.5, 2.5, 8.0, 5.5]);
        multiply(&mut out, 2, a, b.transposed(), 1.0, true);
        assert_eq!(out, [10.5, 7.5, 24.0, 16.5]);
    }

    #[test]
    #[should_panic(expected = "operands within their slices")]
    fn refuses_to_read_past_the_end() {
        let short = [0.0; 5];
        multiply(&mut [0.0; 4], 2, View::rows(&short, 2, 3, 3), View::rows(&short, 3, 1, 1), 1.0, false);
    }
}
