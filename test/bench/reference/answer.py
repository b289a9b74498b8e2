"""The protocol that both references speak with reference.bench.ts."""
import json, sys, time
from networks import write_tensors

def answer(run):
    """Says `ready`, then runs once for each line on stdin and prints its milliseconds, by the clock and of the processor,
    as JSON. A line that is not empty names a file to write the result to."""
    print('ready', flush=True)
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        result = run()
        times = {'wall': (time.perf_counter() - wall) * 1000, 'cpu': (time.process_time() - cpu) * 1000}
        if line.strip(): write_tensors(line.strip(), result)
        print(json.dumps(times), flush=True)
