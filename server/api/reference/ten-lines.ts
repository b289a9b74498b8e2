/**
 * What it takes to start a run with curl, see it end and fetch its model: ten lines of bash that are shown first in the reference,
 * and run by a test as they stand there.
 */
export const TEN_LINES: readonly string[] = [
  `API=\${GRAFT_URL:-http://127.0.0.1:7433}/api/v1`,
  `call() { curl --silent --show-error --fail-with-body -H "Authorization: Bearer $GRAFT_TOKEN" -H 'Content-Type: application/json' "$@"; }`,
  `id() { cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen; }`,
  `field() { node -pe "JSON.parse(fs.readFileSync(0))$1"; }`,
  `OPTIONS=\${GRAFT_OPTIONS:-'{"clients":2,"rounds":1,"strategy":"nt","seed":7}'}`,
  `RUN=$(call "$API/runs" -d "{\\"options\\":$OPTIONS,\\"requestId\\":\\"$(id)\\"}" | field .id)`,
  `until STATUS=$(call "$API/runs/$RUN" | field .status) && [[ $STATUS != running && $STATUS != queued ]]; do sleep 1; done`,
  `call "$API/runs/$RUN/rounds" | field '.items.map((it) => \`round \${it.round}: \${it.published.accuracy}\`).join("\\n")'`,
  `MODEL=$(call "$API/runs/$RUN" | field .modelSha256)`,
  `call "$API/models/$MODEL/safetensors" -o "\${GRAFT_OUT:-model.safetensors}" && echo "run $RUN is $STATUS, its model is $MODEL"`,
]
