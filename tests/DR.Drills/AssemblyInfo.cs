// Each drill is a machine of two processors: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
