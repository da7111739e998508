/** Least squares: the minimum-norm solution of symmetric equations, like np.linalg.lstsq. */

const SWEEPS = 50;

/**
 * Return the least-squares solution of minimum norm of matrix * x = values.
 * @param {Float64Array[]} matrix symmetric, no eigenvalue below 0; changed
 * @param {ArrayLike<number>} values
 * @returns {Float64Array}
 */
export function leastSquares(matrix, values) {
  const size = matrix.length;
  const vectors = diagonalised(matrix);
  let largest = 0;
  for (let k = 0; k < size; k++) largest = Math.max(largest, Math.abs(matrix[k][k]));
  const solution = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    // Zero except for rounding; the same limit as NumPy's.
    if (Math.abs(matrix[k][k]) <= Number.EPSILON * size * largest) continue;
    let along = 0;
    for (let row = 0; row < size; row++) along += vectors[row][k] * values[row];
    for (let row = 0; row < size; row++) solution[row] += (vectors[row][k] * along) / matrix[k][k];
  }
  return solution;
}

/** Diagonalise a symmetric matrix in place and return its eigenvectors (Jacobi 1846). */
function diagonalised(matrix) {
  const size = matrix.length;
  const vectors = matrix.map((_, row) => Float64Array.from(matrix, (_, column) => (row === column ? 1 : 0)));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let turned = false;
    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) {
        if (Math.abs(matrix[p][q]) <= 1e-17 * Math.sqrt(Math.abs(matrix[p][p] * matrix[q][q]))) continue;
        rotated(matrix, vectors, p, q);
        turned = true;
      }
    }
    if (!turned) break;
  }
  return vectors;
}

function rotated(matrix, vectors, p, q) {
  const theta = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q]);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  for (let k = 0; k < matrix.length; k++) {
    const [a, b] = [matrix[k][p], matrix[k][q]];
    matrix[k][p] = cosine * a - sine * b;
    matrix[k][q] = sine * a + cosine * b;
  }
  for (let k = 0; k < matrix.length; k++) {
    const [a, b] = [matrix[p][k], matrix[q][k]];
    matrix[p][k] = cosine * a - sine * b;
    matrix[q][k] = sine * a + cosine * b;
    const [c, d] = [vectors[k][p], vectors[k][q]];
    vectors[k][p] = cosine * c - sine * d;
    vectors[k][q] = sine * c + cosine * d;
  }
  matrix[p][q] = matrix[q][p] = 0;
}
