# Questions about the samples, as arguments of `qanda bench`. Sourced after lib.sh.
# shellcheck shell=bash
questions=(
    "What HbA1c target suits most adults with type 2 diabetes?"
    "Which fasting glucose value diagnoses gestational diabetes?"
    "How long must a driver wait after a hypoglycaemic episode?"
    "What is the blood pressure target for someone over 80?"
    "At what age is the shingles vaccine given?"
    "How soon after birth is the first hepatitis B dose given?"
    "What Timed Up and Go time suggests a risk of falling?"
    "At what eGFR must metformin be stopped?"
)
arguments=()
for question in "${questions[@]}"; do arguments+=(--question "$question"); done
