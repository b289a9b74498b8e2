import * as tf from '@tensorflow/tfjs'

/** One attribute of a TensorFlow op: name, type code of the binding, value. */
interface Attribute {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

interface NativeBackend {
  readonly binding: Readonly<
    Record<
      | 'TF_ATTR_TYPE'
      | 'TF_ATTR_BOOL'
      | 'TF_ATTR_INT'
      | 'TF_ATTR_STRING'
      | 'TF_ATTR_SHAPE'
      | 'TF_FLOAT'
      | 'TF_INT32',
      number
    >
  >
  executeMultipleOutputs(
    op: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.Tensor[],
    numOutputs: number,
  ): tf.Tensor[]
}

/** What a pooling takes together: [height, width] of a window and of the way to the next. */
export interface PoolWindow {
  readonly size: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly pad: 'same' | 'valid'
}

/** TensorFlow ops that tfjs has no name for, run directly on the native engine. */
export interface NativeOps {
  /** dy where y > 0, else 0; both of one shape. The caller owns the result. */
  reluGrad(dy: tf.Tensor, y: tf.Tensor): tf.Tensor
  /** Sum over all axes but the last, [..., column] -> [column]. The caller owns the result. */
  columnSums(values: tf.Tensor): tf.Tensor
  /**
   * Softmax cross-entropy -log softmax(z_i)[y_i] of each example, [batch], and its gradient
   * softmax(z) - onehot(y), [batch, class]. The caller owns both.
   *
   * @param labels y, [batch], int32
   */
  softmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): [tf.Tensor1D, tf.Tensor2D]
  /**
   * oneDNN's max pooling, which remembers where the maxima lie. The caller owns y and that workspace.
   * Throws where TensorFlow was built without oneDNN.
   *
   * @param x [batch, height, width, channel]
   */
  maxPoolWorkspace(x: tf.Tensor4D, window: PoolWindow): { y: tf.Tensor4D; workspace: tf.Tensor }
  /** The gradient at x that dy at y gives. The caller owns it. */
  maxPoolWorkspaceGrad(
    tensors: Readonly<Record<'x' | 'y' | 'dy' | 'workspace', tf.Tensor>>,
    window: PoolWindow,
  ): tf.Tensor
  /** A resource variable that starts as `value`; the caller frees it with `destroyVariable`. */
  createVariable(value: tf.Tensor): tf.Tensor
  /**
   * A resource variable that holds anything yet, to be filled by `writeRows`; the caller frees it with `destroyVariable`.
   * @param shape [row, column]
   */
  createRows(shape: readonly [number, number]): tf.Tensor
  /**
   * Writes rows in place. No tensor that `readVariable` gave may be left, or all rows are copied first.
   *
   * @param first index of the first row
   * @param rows [row, column]; borrowed
   */
  writeRows(variable: tf.Tensor, first: number, rows: tf.Tensor2D): void
  /** Its value, without a copy until the variable changes; the caller owns the tensor. */
  readVariable(variable: tf.Tensor): tf.Tensor
  destroyVariable(variable: tf.Tensor): void
  /** Runs an op on resource variables in place; all its numbers are float32. */
  applyInPlace(
    op: 'ResourceApplyAdam' | 'ResourceApplyMomentum' | 'ResourceApplyGradientDescent',
    inputs: tf.Tensor[],
  ): void
}

/**
 * Why not plain tfjs ops: its `step`, which relu's gradient needs, takes 7.9 ms for [64,28,28,32] where
 * TensorFlow's ReluGrad takes 0.5, and its Adam 10 ms for 930k weights where ResourceApplyAdam takes 0.6.
 * Cross-entropy is a dozen of them, and sums by column are four, each of which costs more to start than
 * to compute in a small network.
 *
 * @returns undefined when another engine runs
 */
export function nativeOps(): NativeOps | undefined {
  if (tf.getBackend() !== 'tensorflow') return undefined
  const backend = tf.backend() as unknown as NativeBackend
  const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_ATTR_INT, TF_ATTR_STRING, TF_ATTR_SHAPE } = backend.binding
  const { TF_FLOAT, TF_INT32 } = backend.binding
  const float = (name: string) => ({ name, type: TF_ATTR_TYPE, value: TF_FLOAT })
  const text = (name: string, value: string) => ({ name, type: TF_ATTR_STRING, value })
  const flag = (name: string, value: boolean) => ({ name, type: TF_ATTR_BOOL, value })
  const sizes = (name: string, [height, width]: readonly [number, number]) => ({
    name,
    type: TF_ATTR_INT,
    value: [1, height, width, 1],
  })
  const poolAttributes = ({ size, strides, pad }: PoolWindow) => [
    float('T'),
    sizes('ksize', size),
    sizes('strides', strides),
    text('padding', pad.toUpperCase()),
    text('data_format', 'NHWC'),
    flag('workspace_enabled', true),
    // Without it TensorFlow finds no kernel for an op of oneDNN.
    text('_kernel', 'MklNameChangeOp'),
  ]
  const run = (op: string, attributes: readonly Attribute[], inputs: readonly tf.Tensor[]) =>
    backend.executeMultipleOutputs(op, attributes, inputs, 1)[0]!
  const runForEffect = (
    op: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.Tensor[],
  ) => {
    backend.executeMultipleOutputs(op, attributes, inputs, 0)
  }

  const createHandle = (shape: readonly number[]) => {
    const name = text('shared_name', ANONYMOUS)
    const ofShape = { name: 'shape', type: TF_ATTR_SHAPE, value: shape }
    return run('VarHandleOp', [text('container', ''), name, float('dtype'), ofShape], [])
  }

  return {
    reluGrad: (dy, y) => run('ReluGrad', [float('T')], [dy, y]),
    columnSums: (values) => run('BiasAddGrad', [float('T'), text('data_format', 'NHWC')], [values]),
    softmaxCrossEntropy: (logits, labels) =>
      backend.executeMultipleOutputs(
        'SparseSoftmaxCrossEntropyWithLogits',
        [float('T'), { name: 'Tlabels', type: TF_ATTR_TYPE, value: TF_INT32 }],
        [logits, labels],
        2,
      ) as [tf.Tensor1D, tf.Tensor2D],
    maxPoolWorkspace(x, window) {
      const attributes = poolAttributes(window)
      const outputs = backend.executeMultipleOutputs('_MklNativeMaxPool', attributes, [x], 2)
      return { y: outputs[0] as tf.Tensor4D, workspace: outputs[1]! }
    },
    maxPoolWorkspaceGrad: ({ x, y, dy, workspace }, window) =>
      run('_MklNativeMaxPoolGrad', poolAttributes(window), [x, y, dy, workspace]),
    createVariable(value) {
      const variable = createHandle(value.shape)
      runForEffect('AssignVariableOp', [float('dtype')], [variable, value])
      return variable
    },
    createRows(shape) {
      const variable = createHandle(shape)
      tf.tidy(() => {
        // Nobody has touched its memory yet: `zeros` would be an array of JavaScript's beside it.
        const attributes = [float('dtype'), flag('init', false)]
        const empty = run('Empty', attributes, [tf.tensor1d([...shape], 'int32')])
        runForEffect('AssignVariableOp', [float('dtype')], [variable, empty])
      })
      return variable
    },
    writeRows(variable, first, rows) {
      tf.tidy(() => {
        const indices = tf.range(first, first + rows.shape[0], 1, 'int32')
        const attributes = [
          float('dtype'),
          { name: 'Tindices', type: TF_ATTR_TYPE, value: TF_INT32 },
        ]
        runForEffect('ResourceScatterUpdate', attributes, [variable, indices, rows])
      })
      // A variable that rows were written to would copy its value for whoever reads it.
      runForEffect('DisableCopyOnRead', [], [variable])
    },
    readVariable: (variable) => run('ReadVariableOp', [float('dtype')], [variable]),
    destroyVariable(variable) {
      runForEffect('DestroyResourceOp', [flag('ignore_lookup_error', true)], [variable])
      variable.dispose()
    },
    applyInPlace(op, inputs) {
      const attributes = [float('T'), flag('use_locking', false)]
      // TensorFlow logs an attribute that an op has not.
      const momentum = op === 'ResourceApplyGradientDescent' ? [] : [flag('use_nesterov', false)]
      runForEffect(op, [...attributes, ...momentum], inputs)
    },
  }
}

/**
 * Asks for a variable that shares its value with no other (`ResourceHandle::ANONYMOUS_NAME`). With a name of its own, TensorFlow
 * would keep a kernel for each variable there ever was.
 */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347'
