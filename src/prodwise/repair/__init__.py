"""Who proposes fixes. One file or package a repairer; none of them is believed by itself."""
