/** The project's own sample: reviews from a seed, and questions to ask them. */

export { SAMPLE_QUESTIONS, type SampleQuestion } from './questions.ts';
export { type SampleOptions, type SampleReview, sampleReviews } from './sample-reviews.ts';
