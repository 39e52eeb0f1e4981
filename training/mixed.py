"""Matrix products of training: bfloat16 in, float32 out, which processors with AVX512-BF16 do at twice the speed.

XLA takes its fast kernels for products of row-major matrices only, so every transposed factor is laid out first; left to
itself, XLA would hand over a view and fall back to slow loops. Hence the derivatives are written out here.
"""

import jax
import jax.numpy as jnp
from jax.experimental.layout import Layout, with_layout_constraint


def row_major(x):
    return with_layout_constraint(x, Layout(major_to_minor=tuple(range(x.ndim))))


def transposed(x):
    """The last two dimensions exchanged, as a copy."""
    return row_major(jnp.swapaxes(x, -1, -2))


def half(x):
    return x.astype(jnp.bfloat16)


def dot(a, b):
    """`[…, m, k] x […, k, n]`, with the same leading dimensions."""
    leading = tuple(range(a.ndim - 2))
    return jax.lax.dot_general(a, b, (((a.ndim - 1,), (b.ndim - 2,)), (leading, leading)), preferred_element_type=jnp.float32)


@jax.custom_vjp
def product(x, weight):
    """`[tokens, inputs] x [inputs, outputs]`."""
    return dot(half(x), half(weight))


def _product_forward(x, weight):
    x, weight = half(x), half(weight)
    return dot(x, weight), (x, weight)


def _product_backward(saved, gradient):
    x, weight = saved
    gradient = half(gradient)
    return dot(gradient, transposed(weight)), dot(transposed(x), gradient)


product.defvjp(_product_forward, _product_backward)


@jax.custom_vjp
def attention(query, key, value, bias):
    """Each `[rows, heads, length, size]`, the query already scaled; `bias` is added to the scores."""
    return _attend(query, key, value, bias)[0]


def _attend(query, key, value, bias):
    query, key, value = half(query), half(key), half(value)
    weights = jax.nn.softmax(dot(query, transposed(key)) + bias)
    return dot(half(weights), value), (query, key, value, weights)


def _attention_backward(saved, gradient):
    query, key, value, weights = saved
    gradient = half(gradient)
    value_gradient = dot(transposed(half(weights)), gradient)
    weights_gradient = dot(gradient, transposed(value))
    scores_gradient = half(weights * (weights_gradient - (weights_gradient * weights).sum(-1, keepdims=True)))
    return dot(scores_gradient, key), dot(transposed(scores_gradient), query), value_gradient, None


attention.defvjp(_attend, _attention_backward)
