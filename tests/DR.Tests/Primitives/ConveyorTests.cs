using DR.Core.Primitives;

namespace DR.Tests.Primitives;

public class ConveyorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void Results_come_in_the_order_of_the_items() => Property.Holds(
        random =>
        {
            int count = random.Next(100);
            int[] delays = [.. Enumerable.Range(0, count).Select(_ => random.Next(300))];
            var taken = new List<int>();
            Run(
                _ => Enumerable.Range(0, count), random.Next(1, 6), random.Next(1, 10),
                i =>
                {
                    Thread.SpinWait(delays[i] * 10);
                    return i;
                },
                taken.Add);
            Assert.Equal(Enumerable.Range(0, count), taken);
        },
        50);

    [Fact]
    public void No_more_items_are_under_way_than_allowed()
    {
        int made = 0;
        int taken = 0;
        int most = 0;
        IEnumerable<int> Items()
        {
            for (int i = 0; i < 500; i++)
            {
                most = Math.Max(most, ++made - Volatile.Read(ref taken));
                yield return i;
            }
        }

        Run(_ => Items(), 4, 7, i => i, _ => taken++);
        Assert.Equal(500, taken);
        Assert.InRange(most, 1, 7);
    }

    [Theory]
    [InlineData("producer")]
    [InlineData("worker")]
    [InlineData("taker")]
    [InlineData("state")]
    [InlineData("end of state")]
    public void The_first_failure_stops_all_and_is_thrown(string where) => Property.Holds(
        random =>
        {
            int at = random.Next(50);
            void Fail(string who, int i) => _ = who == where && i == at ? throw new InvalidDataException(who) : 0;
            IEnumerable<int> Items()
            {
                for (int i = 0; ; i++)
                {
                    Fail("producer", i);
                    if (where == "end of state" && i == 60)
                    {
                        yield break;
                    }

                    yield return i;
                }
            }

            var error = Assert.Throws<InvalidDataException>(() => Within(() => Conveyor.Run(
                _ => Items(), random.Next(1, 5), random.Next(1, 9),
                () => where == "state" ? throw new InvalidDataException(where) : new State(where == "end of state"),
                (_, i, _) =>
                {
                    Fail("worker", i);
                    return i;
                },
                i => Fail("taker", i),
                CancellationToken.None)));
            Assert.Equal(where, error.Message);
        },
        20);

    [Fact]
    public void Cancelling_ends_it() => Property.Holds(
        random =>
        {
            using var cancel = new CancellationTokenSource();
            int at = random.Next(100);
            Assert.ThrowsAny<OperationCanceledException>(() => Within(() => Conveyor.Run(
                _ => Enumerable.Range(0, int.MaxValue), 3, 5, () => new State(false), (_, i, _) => i,
                i => _ = i == at ? Cancel(cancel) : 0, cancel.Token)));
        },
        20);

    [Fact]
    public void A_worker_that_waits_is_woken_by_another_ones_failure()
    {
        var error = Assert.Throws<InvalidDataException>(() => Within(() => Conveyor.Run(
            _ => Enumerable.Range(0, 10), 2, 4, () => new State(false),
            (_, i, stop) =>
            {
                if (i == 1)
                {
                    throw new InvalidDataException("one");
                }

                stop.WaitHandle.WaitOne();
                stop.ThrowIfCancellationRequested();
                return i;
            },
            _ => { },
            CancellationToken.None)));
        Assert.Equal("one", error.Message);
    }

    [Fact]
    public void The_items_enumeration_is_disposed_of()
    {
        bool disposed = false;
        IEnumerable<int> Items()
        {
            try
            {
                for (int i = 0; ; i++)
                {
                    yield return i;
                }
            }
            finally
            {
                disposed = true;
            }
        }

        Assert.Throws<InvalidDataException>(() => Run(_ => Items(), 2, 3, i => i < 9 ? i : throw new InvalidDataException(), _ => { }));
        Assert.True(disposed);
    }

    private static int Cancel(CancellationTokenSource source)
    {
        source.Cancel();
        return 0;
    }

    private static void Run(Func<CancellationToken, IEnumerable<int>> items, int workers, int underWay, Func<int, int> work, Action<int> take) =>
        Within(() => Conveyor.Run(items, workers, underWay, () => new State(false), (_, i, _) => work(i), take, CancellationToken.None));

    /// <summary>A hang is a failure, not a test run that never ends.</summary>
    private static void Within(Action body)
    {
        Exception? error = null;
        var thread = new Thread(() => error = Record.Exception(body)) { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(Patience), "it hangs");
        if (error is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
        }
    }

    private sealed class State(bool fails) : IDisposable
    {
        public void Dispose() => _ = fails ? throw new InvalidDataException("end of state") : 0;
    }
}
