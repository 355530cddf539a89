using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace DR.Core.Primitives;

/// <summary>
/// Many threads work on a sequence of items whose results are taken in the order of the items. One thread makes the items,
/// the calling thread takes the results; a bound on the items under way bounds the memory. The first failure of any thread
/// stops all and is thrown.
/// </summary>
public static class Conveyor
{
    /// <param name="items">Enumerated on a thread of its own; the token ends waiting when another thread has failed.</param>
    /// <param name="workers">Threads that work.</param>
    /// <param name="underWay">Items that are made and whose results are not taken yet, at most.</param>
    /// <param name="makeState">Called once by each worker; the state is disposed at its end.</param>
    /// <param name="work">Called by the workers.</param>
    /// <param name="take">Called by the calling thread, in the order of the items.</param>
    public static void Run<TItem, TResult, TState>(
        Func<CancellationToken, IEnumerable<TItem>> items,
        int workers,
        int underWay,
        Func<TState> makeState,
        Func<TState, TItem, CancellationToken, TResult> work,
        Action<TResult> take,
        CancellationToken cancel)
        where TState : IDisposable
    {
        using var line = new Line<TItem, TResult>(underWay, workers, cancel);
        var threads = new List<Thread> { line.Start(() => line.Produce(items)) };
        for (int i = 0; i < workers; i++)
        {
            threads.Add(line.Start(() => line.Work(makeState, work)));
        }

        line.Take(take);
        threads.ForEach(t => t.Join());
        line.Rethrow();
    }

    private sealed class Line<TItem, TResult> : IDisposable
    {
        private readonly BlockingCollection<(long Number, TItem Item)> _queue = [];
        private readonly Dictionary<long, TResult> _results = [];
        private readonly SemaphoreSlim _slots;
        private readonly CancellationTokenSource _stop;
        private int _working;
        private ExceptionDispatchInfo? _failure;

        public Line(int underWay, int workers, CancellationToken cancel)
        {
            _slots = new SemaphoreSlim(underWay, underWay);
            _stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            _working = workers;
        }

        public Thread Start(Action body)
        {
            var thread = new Thread(() => Guard(body)) { IsBackground = true };
            thread.Start();
            return thread;
        }

        public void Produce(Func<CancellationToken, IEnumerable<TItem>> items)
        {
            try
            {
                using var source = items(_stop.Token).GetEnumerator();
                for (long number = 0; ; number++)
                {
                    _slots.Wait(_stop.Token);
                    if (!source.MoveNext())
                    {
                        return;
                    }

                    _queue.Add((number, source.Current), _stop.Token);
                }
            }
            finally
            {
                _queue.CompleteAdding();
            }
        }

        public void Work<TState>(Func<TState> makeState, Func<TState, TItem, CancellationToken, TResult> work)
            where TState : IDisposable
        {
            try
            {
                using var state = makeState();
                foreach (var (number, item) in _queue.GetConsumingEnumerable(_stop.Token))
                {
                    var result = work(state, item, _stop.Token);
                    lock (_results)
                    {
                        _results.Add(number, result);
                        Monitor.PulseAll(_results);
                    }
                }
            }
            finally
            {
                lock (_results)
                {
                    _working--;
                    Monitor.PulseAll(_results);
                }
            }
        }

        public void Take(Action<TResult> take) => Guard(() =>
        {
            for (long number = 0; Next(number, out var result); number++)
            {
                take(result);
                _slots.Release();
            }
        });

        public void Rethrow() => _failure?.Throw();

        public void Dispose()
        {
            _queue.Dispose();
            _slots.Dispose();
            _stop.Dispose();
        }

        private bool Next(long number, out TResult result)
        {
            lock (_results)
            {
                while (!_results.Remove(number, out result!))
                {
                    _stop.Token.ThrowIfCancellationRequested();
                    if (_working == 0)
                    {
                        return false;
                    }

                    Monitor.Wait(_results, TimeSpan.FromMilliseconds(100));
                }

                return true;
            }
        }

        private void Guard(Action body)
        {
            try
            {
                body();
            }
            catch (Exception e)
            {
                Fail(e);
            }
        }

        private void Fail(Exception e)
        {
            var info = ExceptionDispatchInfo.Capture(e);
            lock (_results)
            {
                bool better = _failure is null || _failure.SourceException is OperationCanceledException && e is not OperationCanceledException;
                _failure = better ? info : _failure;
                Monitor.PulseAll(_results);
            }

            _stop.Cancel();
        }
    }
}
