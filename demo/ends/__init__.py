"""SIP and RTP endpoints: a user agent of our own, small enough to read in one sitting."""
