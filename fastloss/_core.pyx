# cython: language_level=3, binding=True, boundscheck=False, wraparound=False
# cython: freethreading_compatible=True, annotation_typing=False
"""The binding: arrays of NumPy to plans of the C core. Names no loss."""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport NAN
from libc.stdint cimport int16_t, int32_t, int64_t, intptr_t, uint8_t, uint32_t, uintptr_t
from libc.string cimport memcpy, memset
cimport numpy as cnp

from .fastloss cimport *

import numpy as np

cnp.import_array()

cdef extern from "Python.h":
    # without `except`: the exception that a signal handler sets must outlive the callback
    int PyErr_CheckSignals() noexcept

cdef extern from *:
    """
    #define FASTLOSS_COMPILER __VERSION__
    """
    const char *FASTLOSS_COMPILER

# Work below this many elements keeps the interpreter lock: handing it over costs as much.
cdef enum:
    LOCKED_ELEMENTS = 4096

# Context managers that are in use somewhere; 0 lets the fast path skip looking.
cdef int overrides = 0

cdef int32_t[25] DTYPES
DTYPES[:] = [-1] * 25
for _type, _code in (
    (cnp.NPY_BOOL, 0), (cnp.NPY_INT8, 1), (cnp.NPY_INT16, 2), (cnp.NPY_INT32, 3),
    (cnp.NPY_INT64, 4), (cnp.NPY_UINT8, 5), (cnp.NPY_UINT16, 6), (cnp.NPY_UINT32, 7),
    (cnp.NPY_UINT64, 8), (cnp.NPY_FLOAT16, 9), (cnp.NPY_FLOAT32, 11), (cnp.NPY_FLOAT64, 12),
):
    DTYPES[_type] = _code

SCHEMAS = {"map": FASTLOSS_MAP, "row": FASTLOSS_ROW, "pair": FASTLOSS_PAIR,
           "list": FASTLOSS_LIST, "scan": FASTLOSS_SCAN}
ORDERS = {"given": FASTLOSS_AS_GIVEN, "target up": FASTLOSS_TARGET_UP,
          "target down": FASTLOSS_TARGET_DOWN, "prediction down": FASTLOSS_PREDICTION_DOWN}
UNITS = {"group": FASTLOSS_GROUPS, "pair": FASTLOSS_PAIRS, "event": FASTLOSS_EVENTS}
REDUCTIONS = {"none": FASTLOSS_NONE, "sum": FASTLOSS_SUM, "mean": FASTLOSS_MEAN}
TARGETS = {"masses": FASTLOSS_MASSES, "labels": FASTLOSS_LABELS, "numbers": FASTLOSS_NUMBERS}
ENCODINGS = {"class": FASTLOSS_CLASS, "one_hot": FASTLOSS_ONE_HOT, "levels": FASTLOSS_LEVELS,
             "columns": FASTLOSS_COLUMNS, "ranks": FASTLOSS_RANKS, "steps": FASTLOSS_STEPS}


cdef int dtype_of(cnp.ndarray array) except -2:
    """The code of an array's dtype, or -1."""
    cdef int number = cnp.PyArray_TYPE(array)
    if 0 <= number < 24:
        return DTYPES[number]
    return FASTLOSS_BFLOAT16 if array.dtype.name == "bfloat16" else -1


@cython.final
cdef class Native:
    """What a loss's calls have in common."""
    cdef fastloss_plan plan
    cdef int kernel
    cdef int unit_target  # what targets of one number a row are, or -1
    cdef int takes_masses
    cdef int between_labels
    cdef Py_ssize_t class_count  # of the class weights or constants, 0 without
    cdef Py_ssize_t least_classes
    cdef float[16] parameters32
    cdef double[16] parameters64
    cdef double *class_weight
    cdef double *columns

    def __dealloc__(self):
        PyMem_Free(self.class_weight)
        PyMem_Free(self.columns)

    cdef double *numbers(self, values) except NULL:
        """A copy of one number a class."""
        self.class_count = len(values)
        cdef double *copy = <double *>PyMem_Malloc(self.class_count * sizeof(double))
        if copy == NULL:
            raise MemoryError()
        for i, x in enumerate(values):
            copy[i] = x
        return copy

    cdef int choose(self, fastloss_plan *plan, int outputs, int dtype) except -1:
        """Fills in the kernel of the instruction set in use."""
        cdef int index = dtype == FASTLOSS_FLOAT64
        cdef const fastloss_kernel *kernel
        plan.dtype = dtype
        plan.outputs = outputs
        plan.parameters = <void *>self.parameters64 if index else <void *>self.parameters32
        if self.kernel >= 0:
            kernel = &fastloss_kernels(dtype)[self.kernel]
            plan.block = kernel.block[outputs]
            plan.block_along = kernel.block_along[outputs]
        return 0


def prepare(loss):
    """The native part of a loss, made once with it."""
    cdef Native native = Native.__new__(Native)
    cdef int i
    names = [name for name, *_ in kernels()]
    native.kernel = names.index(loss.kernel) if loss.kernel in names else -1
    memset(&native.plan, 0, sizeof(native.plan))
    plan = &native.plan
    plan.schema = SCHEMAS[loss.schema]
    plan.predictions = len(loss.differentiated)
    plan.inputs = len(loss.inputs)
    if plan.inputs > FASTLOSS_MAX_INPUTS or plan.predictions > FASTLOSS_MAX_PREDICTIONS:
        raise ValueError(f"{loss.name} has more inputs than the core takes")
    plan.normalizer = NAN
    plan.classes = 1
    plan.poll = poll
    order = [*loss.differentiated, *(n for n in loss.inputs if n not in loss.differentiated)]
    domains = dict(zip(loss.inputs, loss.domains()))
    for i, name in enumerate(order):
        plan.domain[i].low = domains[name].low
        plan.domain[i].high = domains[name].high
        plan.domain[i].checked = domains[name].checked
        plan.domain[i].discrete = domains[name].discrete
    for i, name in enumerate(loss.ordered):
        plan.ordered[i] = order.index(name)
    parameters = loss.kernel_parameters()
    if len(parameters) > 16:
        raise ValueError(f"{loss.name} has more parameters than the core takes")
    for i, x in enumerate(parameters):
        native.parameters32[i] = native.parameters64[i] = x
    if plan.schema == FASTLOSS_ROW:
        native.unit_target = (FASTLOSS_LABELS if loss.takes_labels else
                              FASTLOSS_NUMBERS if loss.takes_numbers else -1)
        native.takes_masses = loss.takes_distributions
        native.least_classes = loss.least_classes
        native.between_labels = loss.between_labels
        plan.encoding = ENCODINGS[loss.encoding]
        if loss.columns is not None:
            plan.columns = native.columns = native.numbers(loss.columns)
        plan.above_threshold = loss.above_threshold
        plan.label_smoothing = loss.label_smoothing
        if loss.ignore_index is not None:
            plan.ignores = 1
            plan.ignore_index = loss.ignore_index
        if loss.class_weight is not None:
            plan.class_weight = native.class_weight = native.numbers(loss.class_weight)
    return native


cdef int poll(void *context) noexcept with gil:
    return PyErr_CheckSignals()


cdef int raise_pending() except -1:
    return -1  # the signal handler's exception is set


cdef int finish(int status) except -1:
    """0, or 1 where values were refused."""
    if status == FASTLOSS_INTERRUPTED:
        raise_pending()
    if status == FASTLOSS_NO_MEMORY:
        raise MemoryError("fastloss found no scratch memory")
    return status != FASTLOSS_OK


cdef int execute(const fastloss_plan *plan, fastloss_result *result, int64_t elements) except -1:
    cdef int status
    if elements <= LOCKED_ELEMENTS:
        status = fastloss_run(plan, result)
    else:
        with nogil:
            status = fastloss_run(plan, result)
    return finish(status)


# ---- the fast path: plain contiguous arrays, nothing unusual

cdef inline bint plain(object array) noexcept:
    return type(array) is cnp.ndarray and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>array)


cdef inline bint same_shape(cnp.ndarray a, cnp.ndarray b, int ndim) noexcept:
    cdef int axis
    if cnp.PyArray_NDIM(a) != ndim:
        return False
    for axis in range(ndim):
        if cnp.PyArray_DIM(a, axis) != cnp.PyArray_DIM(b, axis):
            return False
    return True


cdef inline bint apart(cnp.ndarray a, cnp.ndarray b) noexcept:
    cdef uintptr_t x = <uintptr_t>cnp.PyArray_DATA(a), y = <uintptr_t>cnp.PyArray_DATA(b)
    return x + cnp.PyArray_NBYTES(a) <= y or y + cnp.PyArray_NBYTES(b) <= x


cdef inline void describe(fastloss_array *array, cnp.ndarray source, int dtype, int ndim,
                          bint classes) noexcept:
    array.data = cnp.PyArray_DATA(source)
    array.strides = <const int64_t *>cnp.PyArray_STRIDES(source)
    array.dtype = dtype
    array.class_stride = cnp.PyArray_STRIDE(source, ndim) if classes else 0


cdef inline object new_like(cnp.ndarray array):
    return cnp.PyArray_EMPTY(cnp.PyArray_NDIM(array), cnp.PyArray_DIMS(array),
                             cnp.PyArray_TYPE(array), 0)


cdef int use_output(fastloss_plan *plan, fastloss_array *array, object out, cnp.ndarray like,
                    cnp.ndarray target, object weight, int ndim, bint rows) except -1:
    """1 where the given output is plain and apart from the inputs or the prediction itself."""
    if not (plain(out) and cnp.PyArray_ISWRITEABLE(<cnp.ndarray>out)
            and cnp.PyArray_TYPE(<cnp.ndarray>out) == cnp.PyArray_TYPE(like)
            and same_shape(out, like, cnp.PyArray_NDIM(like))
            and apart(out, target) and (weight is None or apart(out, weight))):
        return 0
    if not apart(out, like):
        if cnp.PyArray_DATA(<cnp.ndarray>out) != cnp.PyArray_DATA(like):
            return 0
        if array != &plan.grad_out[0]:
            return 0
        plan.in_place = 1
    describe(array, out, plan.dtype, ndim, rows)
    return 1


cdef object fast(Native native, int outputs, object prediction_, object target_, object weight,
                 object reduction, object grad_out, object hess_out, int threads):
    """The result, or None where something about the call is unusual or wrong."""
    cdef cnp.ndarray prediction, target
    cdef fastloss_plan plan
    cdef fastloss_result result
    cdef int ndim, code
    cdef int64_t elements, classes
    cdef bint rows, masses = False
    if not (plain(prediction_) and plain(target_)):
        return None
    prediction = <cnp.ndarray>prediction_
    target = <cnp.ndarray>target_
    if type(reduction) is not str:
        return None
    if reduction == "mean":
        code = FASTLOSS_MEAN
    elif reduction == "sum":
        code = FASTLOSS_SUM
    else:
        return None
    plan = native.plan
    plan.reduction = code
    plan.threads = threads
    code = cnp.PyArray_TYPE(prediction)
    if code == cnp.NPY_FLOAT32:
        native.choose(&plan, outputs, FASTLOSS_FLOAT32)
    elif code == cnp.NPY_FLOAT64:
        native.choose(&plan, outputs, FASTLOSS_FLOAT64)
    else:
        return None
    if plan.block == NULL or plan.inputs != 2 or plan.predictions != 1:
        return None
    rows = plan.schema == FASTLOSS_ROW
    ndim = cnp.PyArray_NDIM(prediction) - rows
    elements = cnp.PyArray_SIZE(prediction)
    if ndim < 0 or elements == 0:
        return None
    plan.ndim = ndim
    plan.shape = <const int64_t *>cnp.PyArray_DIMS(prediction)
    describe(&plan.input[0], prediction, plan.dtype, ndim, rows)
    if rows:
        plan.classes = cnp.PyArray_DIM(prediction, ndim)
        if cnp.PyArray_NDIM(target) == ndim:
            plan.target = native.unit_target
            if plan.target < 0:
                return None
        elif plan.ignores or not native.takes_masses:
            return None
        masses = plan.target == FASTLOSS_MASSES
        classes = plan.classes + native.between_labels
        if native.class_count and native.class_count != classes:
            return None
        if plan.classes < native.least_classes:
            return None
    if not same_shape(target, prediction, ndim + masses):
        return None
    code = dtype_of(target)
    if code < 0:
        return None
    describe(&plan.input[1], target, code, ndim, masses)
    if weight is not None:
        if not (plain(weight) and same_shape(weight, prediction, ndim)):
            return None
        code = dtype_of(weight)
        if code < 0:
            return None
        describe(&plan.weight, weight, code, ndim, False)
    if outputs & FASTLOSS_GRAD:
        if grad_out is None:
            grad_out = new_like(prediction)
            describe(&plan.grad_out[0], grad_out, plan.dtype, ndim, rows)
        elif not use_output(&plan, &plan.grad_out[0], grad_out, prediction, target, weight, ndim,
                            rows):
            return None
    if outputs & FASTLOSS_HESS:
        if hess_out is None:
            hess_out = new_like(prediction)
            describe(&plan.hess_out[0], hess_out, plan.dtype, ndim, rows)
        elif not use_output(&plan, &plan.hess_out[0], hess_out, prediction, target, weight, ndim,
                            rows):
            return None
        if outputs & FASTLOSS_GRAD and not apart(grad_out, hess_out):
            return None
    if execute(&plan, &result, elements):
        return None  # the general path finds the same error and says what it is
    if outputs == FASTLOSS_VALUE:
        return result.value
    if outputs == FASTLOSS_GRAD:
        return grad_out
    if outputs == FASTLOSS_HESS:
        return hess_out
    if outputs == (FASTLOSS_VALUE | FASTLOSS_GRAD):
        return result.value, grad_out
    if outputs == (FASTLOSS_GRAD | FASTLOSS_HESS):
        return grad_out, hess_out
    return result.value, grad_out, hess_out


cdef object general = None


cdef object call(object loss, int outputs, object prediction, object target, object weight,
                 object reduction, object normalizer, object value_out, object grad_out,
                 object hess_out, object threads, dict inputs):
    """Runs a loss: on the fast path where the arguments allow it, else on the general one."""
    global general
    cdef object result
    if (overrides == 0 and normalizer is None and value_out is None and not inputs
            and (threads is None or (type(threads) is int and 0 < threads < 1 << 15))):
        result = fast(<Native>loss._native, outputs, prediction, target, weight, reduction,
                      grad_out, hess_out, 0 if threads is None else threads)
        if result is not None:
            return result
    if general is None:
        from ._call import call as general_call
        general = general_call
    return general(loss, outputs, prediction, target, weight, reduction, normalizer, value_out,
                   grad_out, hess_out, threads, inputs)


include "_methods.py"


# ---- the general path's runner

cdef int fill(object plan, object block, fastloss_plan *to) except -1:
    cdef Native native = plan.loss._native
    cdef int ndim = len(plan.shape), i
    cdef cnp.ndarray first, array
    cdef bint rows = native.plan.schema == FASTLOSS_ROW
    to[0] = native.plan
    native.choose(to, plan.outputs,
                  FASTLOSS_FLOAT64 if plan.dtype == np.float64 else FASTLOSS_FLOAT32)
    if block is not None:
        to.block = <fastloss_block><intptr_t>block
        to.block_along = NULL
    if to.block == NULL:
        raise RuntimeError(f"{plan.loss.name} has no compiled kernel; use_backend('numba') or "
                           "use_backend('numpy') runs it")
    to.reduction = REDUCTIONS[plan.reduction]
    if plan.normalizer is not None:
        to.normalizer = plan.normalizer
    to.threads = 0 if plan.threads is None else plan.threads
    to.ndim = ndim
    to.classes = plan.classes
    if rows:
        to.target = TARGETS[plan.target]
    to.in_place = plan.in_place
    for i, (name, array) in enumerate(plan.arrays.items()):
        if i == 0:
            to.shape = <const int64_t *>cnp.PyArray_DIMS(array)
        describe(&to.input[i], array, dtype_of(array), ndim,
                 rows and not (name == "target" and plan.target != "masses"))
    if plan.weight is not None:
        array = plan.weight
        describe(&to.weight, array, dtype_of(array), ndim, False)
    if plan.value_out is not None:
        array = plan.value_out
        describe(&to.value_out, array, dtype_of(array), ndim, False)
    for i, array in enumerate(plan.grad_out):
        if array is None:
            plan.grad_sums[i] = np.zeros(2 * -(-plan.units // FASTLOSS_BLOCK))
            to.grad_sums[i] = <double *>data_of(plan.grad_sums[i])
        else:
            describe(&to.grad_out[i], array, dtype_of(array), ndim, rows)
    for i, array in enumerate(plan.hess_out):
        describe(&to.hess_out[i], array, dtype_of(array), ndim, rows)
    return 0


def run(plan, block):
    """Runs a checked plan; the reduced value, or None where values were refused.

    ``block`` is the address of a block function that replaces the compiled kernel's, or None.
    """
    cdef fastloss_plan native_plan
    cdef fastloss_result result
    fill(plan, block, &native_plan)
    if execute(&native_plan, &result, plan.units * plan.classes):
        return None
    return result.value


def outlook(plan, block):
    """What running a checked plan would do."""
    cdef fastloss_plan native_plan
    fill(plan, block, &native_plan)
    return {
        "threads": fastloss_threads_for(&native_plan),
        "streams": bool(fastloss_streams(&native_plan)),
        "block_units": fastloss_block_units(&native_plan),
    }


# ---- losses of groups

cdef void *data_of(object array) noexcept:
    return NULL if array is None else cnp.PyArray_DATA(<cnp.ndarray>array)


cdef int fill_groups(object plan, fastloss_groups_plan *to) except -1:
    cdef Native native = plan.loss._native
    cdef int index = plan.dtype == np.float64, outputs = plan.outputs
    cdef const fastloss_kernel *kernel
    loss = plan.loss
    memset(to, 0, sizeof(to[0]))
    if native.kernel < 0:
        raise RuntimeError(f"{loss.name} has no compiled kernel; use_backend('numpy') runs it")
    to.dtype = FASTLOSS_FLOAT64 if index else FASTLOSS_FLOAT32
    kernel = &fastloss_kernels(to.dtype)[native.kernel]
    to.schema = native.plan.schema
    to.outputs = outputs
    to.reduction = REDUCTIONS[plan.reduction]
    to.block = kernel.block[outputs]
    if to.schema == FASTLOSS_LIST:
        to.block = kernel.block_along[outputs]
    to.parameters = <void *>native.parameters64 if index else <void *>native.parameters32
    to.order = ORDERS[loss.order]
    to.ties = loss.joins_ties
    to.unit = UNITS[loss.unit]
    to.normalized = loss.normalized
    to.most_ranks = plan.units if loss.most_ranks is None else loss.most_ranks
    to.groups = plan.groups.count
    to.offsets = <const int64_t *>data_of(plan.groups.offsets)
    to.normalizer = NAN if plan.normalizer is None else plan.normalizer
    to.threads = 0 if plan.threads is None else plan.threads
    to.poll = poll
    return 0


def run_groups(call):
    """Runs a checked call of a loss of groups; the reduced value."""
    cdef fastloss_groups_plan native_plan
    cdef fastloss_result result
    cdef int status
    fill_groups(call.plan, &native_plan)
    native_plan.prediction = data_of(call.prediction)
    native_plan.target = data_of(call.target)
    native_plan.event = data_of(call.event)
    native_plan.weight = <const double *>data_of(call.weight)
    native_plan.group_weight = <const double *>data_of(call.group_weight)
    native_plan.value_out = data_of(call.value_out)
    native_plan.grad_out = data_of(call.grad_out)
    native_plan.hess_out = data_of(call.hess_out)
    with nogil:
        status = fastloss_run_groups(&native_plan, &result)
    finish(status)
    return result.value


def threads_for_groups(plan):
    """How many threads running a checked plan would use."""
    cdef fastloss_groups_plan native_plan
    fill_groups(plan, &native_plan)
    return fastloss_threads_for_groups(&native_plan)


# ---- configuration

def count_override(int change):
    """Counts the context managers that the fast path must look at."""
    global overrides
    overrides += change


def get_threads():
    """The process's limit of threads."""
    return fastloss_get_threads()


def set_threads(int n):
    """Sets the process's limit of threads; 0 returns to the default."""
    fastloss_set_threads(n)


def isa():
    """The instruction set in use."""
    return fastloss_isa_name(fastloss_isa()).decode()


def isas():
    """The instruction sets of this build that this CPU has, slowest first."""
    return [fastloss_isa_name(i).decode() for i in range(fastloss_isa_count())
            if fastloss_isa_supported(i)]


def set_isa(str name):
    """Uses another instruction set from the next call on."""
    for i in range(fastloss_isa_count()):
        if fastloss_isa_name(i).decode() == name and fastloss_set_isa(i) == 0:
            return
    raise ValueError(f"isa must be one of {isas()}; got {name!r}")


def kernels():
    """Name, schema and counts of predictions, inputs and parameters of every kernel."""
    cdef const fastloss_kernel *kernel
    schemas = {code: schema for schema, code in SCHEMAS.items()}
    found = []
    for i in range(fastloss_kernel_count()):
        kernel = &fastloss_kernels(FASTLOSS_FLOAT64)[i]
        found.append((kernel.name.decode(), schemas[kernel.schema], kernel.predictions,
                      kernel.inputs, kernel.parameters))
    return found


cdef object units_of(const fastloss_exact *sum):
    """The exact sum in units of 2**-1074."""
    cdef uint32_t[FASTLOSS_LIMBS] limbs
    cdef int i
    for i in range(FASTLOSS_LIMBS - 1):
        limbs[i] = <uint32_t>sum.limb[i]
    low = PyBytes_FromStringAndSize(<char *>limbs, (FASTLOSS_LIMBS - 1) * sizeof(uint32_t))
    return int.from_bytes(low, "little") + (<object>sum.limb[FASTLOSS_LIMBS - 1] << 32 * (FASTLOSS_LIMBS - 1))


def tally(cnp.ndarray losses, weights, threads):
    """Counts, extremes and exact sums of contiguous losses; with weights of float64."""
    cdef fastloss_tally found
    cdef const double *weight = NULL
    cdef int dtype = dtype_of(losses), most = fastloss_get_threads() if threads is None else threads
    cdef const void *loss = data_of(losses)
    cdef int64_t size = losses.size
    cdef int status
    if weights is not None:
        weight = <const double *>data_of(weights)
    with nogil:
        status = fastloss_tally_values(loss, dtype, weight, size, most, &found)
    finish(status)
    counts = (found.count[FASTLOSS_USED],
              (found.count[FASTLOSS_NAN], found.first[FASTLOSS_NAN]),
              (found.count[FASTLOSS_INFINITE], found.first[FASTLOSS_INFINITE]))
    sums = [(units_of(&found.sum[i]), found.sum[i].special) for i in range(FASTLOSS_SUMS)]
    return counts, found.least, found.greatest, sums


def tally_segments(cnp.ndarray losses, weights, cnp.ndarray codes, first, cnp.ndarray cells,
                   cnp.ndarray place, cnp.ndarray done, cnp.ndarray missing):
    """Adds losses to the records of segments; how many threads stopped for missing columns."""
    cdef fastloss_segments to
    cdef const double *weight = NULL
    cdef int dtype = dtype_of(losses), code_dtype = dtype_of(codes), threads = done.size, stopped
    cdef const void *loss = data_of(losses)
    cdef const void *code = data_of(codes)
    cdef int64_t size = losses.size, number = first
    cdef int64_t *begin = <int64_t *>data_of(done)
    cdef uint8_t *lacks = <uint8_t *>data_of(missing)
    to.cells = <int64_t *>data_of(cells)
    to.stride = cells.shape[1]
    to.place = <const int16_t *>data_of(place)
    if weights is not None:
        weight = <const double *>data_of(weights)
    with nogil:
        stopped = fastloss_tally_segments(loss, dtype, weight, code, code_dtype, size, number, &to,
                                          threads, begin, lacks)
    return stopped


def tally_few_segments(cnp.ndarray losses, weights, cnp.ndarray codes, first, threads,
                       cnp.ndarray records):
    """Adds losses to records of all columns."""
    cdef const double *weight = NULL
    cdef int most = fastloss_get_threads() if threads is None else threads
    cdef int dtype = dtype_of(losses), code_dtype = dtype_of(codes), status
    cdef const void *loss = data_of(losses)
    cdef const void *code = data_of(codes)
    cdef int64_t size = losses.size, number = first, segments = records.shape[0]
    cdef int64_t *to = <int64_t *>data_of(records)
    if weights is not None:
        weight = <const double *>data_of(weights)
    with nogil:
        status = fastloss_tally_few_segments(loss, dtype, weight, code, code_dtype, size, number,
                                             segments, most, to)
    finish(status)


cdef int function_of(void *given, int32_t dtype, fastloss_function *to) except -1:
    """The function of a loss of elements, for other extensions."""
    cdef Native native
    cdef fastloss_plan plan
    cdef bint wide = dtype == FASTLOSS_FLOAT64
    loss = <object>given
    if getattr(loss, "schema", None) != "map" or isinstance(loss, type):
        raise TypeError(f"fastloss_get takes a loss of elements, such as fastloss.Huber(); got {loss!r}")
    if not wide and dtype != FASTLOSS_FLOAT32:
        raise ValueError(f"fastloss_get takes FASTLOSS_FLOAT32 or FASTLOSS_FLOAT64; got {dtype}")
    outputs = FASTLOSS_VALUE
    if loss.has_gradient:
        outputs |= FASTLOSS_GRAD | FASTLOSS_HESS
    native = loss._native
    plan = native.plan
    native.choose(&plan, outputs, dtype)
    to.block = plan.block
    if native.kernel < 0:
        from ._numba import block
        to.block = <fastloss_block><uintptr_t>block(loss, np.dtype("f8" if wide else "f4"), outputs)
    to.dtype = dtype
    to.inputs = native.plan.inputs
    to.predictions = native.plan.predictions
    to.outputs = 1 + 2 * to.predictions if loss.has_gradient else 1
    memset(to.parameters, 0, sizeof(to.parameters))
    if wide:
        memcpy(to.parameters, native.parameters64, sizeof(native.parameters64))
    else:
        memcpy(to.parameters, native.parameters32, sizeof(native.parameters32))
    return 0


cdef fastloss_api _api
_api.version = FASTLOSS_ABI_VERSION
_api.function = function_of
api = PyCapsule_New(&_api, "fastloss._core.api", NULL)


def compiler():
    """The compiler of the core."""
    return FASTLOSS_COMPILER.decode()
