//! What the processor can do, found when the program runs, and functions that are compiled once for each kind.

#![allow(unsafe_code)]

use std::sync::LazyLock;

/// Instructions that the inner loops are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Machine {
    /// x86 with vectors of 512 bits.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// x86 with vectors of 256 bits.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What the program was built for, at least.
    Plain,
}

impl Machine {
    /// The best kind of which this machine is.
    pub(crate) fn here() -> Self {
        static HERE: LazyLock<Machine> = LazyLock::new(|| Machine::all().next().unwrap_or(Machine::Plain));
        *HERE
    }

    /// All kinds of which this machine is, the best one first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let vectors = {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            [(avx2 && avx512).then_some(Self::Avx512), avx2.then_some(Self::Avx2)].into_iter().flatten()
        };
        #[cfg(not(target_arch = "x86_64"))]
        let vectors = std::iter::empty();
        vectors.chain([Self::Plain])
    }
}

/// Defines a function that runs `$body`, which has to be `#[inline(always)]`, compiled for the given machine. `$body` is
/// generic over whether products and sums may be fused, which is slow where there is no instruction for it.
macro_rules! compiled_for_each_machine {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) = $body:ident) => {
        $(#[$doc])*
        #[allow(unsafe_code)]
        pub(crate) fn $name(machine: $crate::bert::machine::Machine, $($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512($($arg: $type),*) {
                $body::<true>($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $type),*) {
                $body::<true>($($arg),*)
            }
            match machine {
                // SAFETY: a `Machine` of these kinds is made where the processor was found to have the instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::bert::machine::Machine::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                $crate::bert::machine::Machine::Avx2 => unsafe { avx2($($arg),*) },
                $crate::bert::machine::Machine::Plain => $body::<{ cfg!(target_arch = "aarch64") }>($($arg),*),
            }
        }
    };
}
pub(crate) use compiled_for_each_machine;
