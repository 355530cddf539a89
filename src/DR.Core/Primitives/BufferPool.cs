using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace DR.Core.Primitives;

/// <summary>
/// Lends page-aligned buffers of one size, as direct I/O needs them. A buffer has one owner at a time, who either
/// hands it on or disposes it; disposing gives it back. The number of buffers is the bound on memory: renting waits
/// until one is free.
/// </summary>
public sealed class BufferPool : IDisposable
{
    /// <summary>Alignment of every buffer's first byte.</summary>
    public const int Alignment = 4096;

    private readonly ConcurrentBag<PooledBuffer> _free = [];
    private readonly SemaphoreSlim _available;

    /// <param name="size">Bytes in each buffer.</param>
    /// <param name="count">How many there are at most; they are made when first needed.</param>
    public BufferPool(int size, int count)
    {
        Size = size;
        _available = new SemaphoreSlim(count, count);
    }

    public int Size { get; }

    public PooledBuffer Rent(CancellationToken cancel = default)
    {
        _available.Wait(cancel);
        return _free.TryTake(out var buffer) ? buffer.Lend() : new PooledBuffer(this, Size);
    }

    public void Dispose() => _available.Dispose();

    internal void Return(PooledBuffer buffer)
    {
        _free.Add(buffer);
        _available.Release();
    }
}

/// <summary>A buffer on loan from a <see cref="BufferPool"/>.</summary>
public sealed class PooledBuffer : IDisposable
{
    private readonly BufferPool _pool;
    private readonly byte[] _array;
    private readonly int _start;
    private bool _returned;

    internal PooledBuffer(BufferPool pool, int size)
    {
        _pool = pool;
        _array = GC.AllocateUninitializedArray<byte>(size + BufferPool.Alignment, pinned: true);
        long address = Marshal.UnsafeAddrOfPinnedArrayElement(_array, 0);
        _start = (int)(-address & (BufferPool.Alignment - 1));
    }

    public Span<byte> Span => _array.AsSpan(_start, _pool.Size);

    public Memory<byte> Memory => _array.AsMemory(_start, _pool.Size);

    public void Dispose()
    {
        if (!_returned)
        {
            _returned = true;
            _pool.Return(this);
        }
    }

    internal PooledBuffer Lend()
    {
        _returned = false;
        return this;
    }
}
